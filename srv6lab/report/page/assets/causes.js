// Why it isn't as it should be: the causes, what shows them, and what mends them.

function causesView(exercise) {
  const { suspects } = exercise;
  if (!suspects.length) return null;
  return el("section", { class: "panel causes", "aria-labelledby": "causes" },
    el("h2", { id: "causes" }, suspects.length === 1 ? "The cause" : "Causes, the likeliest first"),
    el("ol", { "data-part-of": "suspects", class: suspects.length === 1 ? "single" : null }, suspects.map(causeItem)));
}

function causeItem({ cause, node, what, command, proven, mend }, index) {
  const shown = proven ? "Proved" : proven === false ? "Not proved" : "Compare";
  return el("li", { "data-suspect": index }, el("p", { class: "cause", "data-key": "what" }, text(what || cause)),
    el("dl", {}, el("dt", {}, "Kind"), el("dd", {}, text(cause, { "data-key": "cause" })),
      node ? [el("dt", {}, "Node"), el("dd", {}, text(node, { "data-key": "node" }))] : null,
      command ? [el("dt", {}, shown), el("dd", {}, "by ", text(command, { class: "code command", "data-key": "command" }))] : null,
      mend ? [el("dt", {}, "To mend it"), el("dd", {}, text(mend, { class: "mend", "data-key": "mend" }))] : null));
}

/** A field's name as the boxes have it, with its header's where that isn't the outermost. */
function fieldWords(name) {
  const [, prefix, bare] = /^(inner\.|middle\.|header \d+\.)?(.*)$/.exec(name);
  const label = DIFFERENCES[name] ?? { hop_limit: "Hop Limit", segment_list: "Segment List", length_field: "Length" }[bare]
    ?? own(LABELS, bare) ?? own(LABELS, bare.replace(/^frame\./, "")) ?? bare.replaceAll("_", " ");
  return `${prefix ? `${prefix.slice(0, -1)} ` : ""}${label}`;
}

const DIFFERENCES = { count: "how many packets", share: "share of the flows", answers: "answers" };
const aloneWords = (expected) => (there(expected) ? "nobody: all three differ" : "the author says nothing of it");

function differsLine(hop) {
  if (!hop.differs?.length) return null;
  const groups = new Map();
  for (const { field, alone } of hop.differs) {
    const words = alone ? `${alone} stands alone in` : "not as predicted";
    if (!groups.has(words)) groups.set(words, []);
    groups.get(words).push(fieldWords(field));
  }
  return el("p", { class: "here" }, el("b", {}, "✗ The witnesses part here"), ": ",
    [...groups].map(([words, fields], index) => [index ? "; " : "", el("b", {}, words), `${words.endsWith("in") ? "" : ":"} ${fields.join(", ")}`]));
}

/** What differs at a hop, and who stands alone. */
function differsView(hop) {
  if (!hop.differs?.length) return null;
  const notes = hop.differs.some(({ note }) => note);
  return el("div", { class: "differs" }, table("What each witness says where they part",
    ["Field", "Expected", "Predicted", "Captured", "Who stands alone", ...(notes ? ["Note"] : [])],
    hop.differs.map(({ field, expected, predicted, captured, alone, note }) => ({ cells: [text(fieldWords(field)), dash(expected),
      dash(predicted), dash(captured), alone ? el("b", {}, `✗ ${alone}`) : aloneWords(expected),
      ...(notes ? [dash(note)] : [])] }))));
}
