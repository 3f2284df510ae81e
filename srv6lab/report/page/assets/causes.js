// Why it isn't as it should be: the causes, what shows them, and what mends them.

function causesView(exercise) {
  const { suspects } = exercise;
  if (!suspects.length) return null;
  return el("section", { class: "panel causes", "aria-labelledby": "causes" },
    el("h2", { id: "causes" }, suspects.length === 1 ? say("The cause") : say("Causes, the likeliest first")),
    el("ol", { "data-part-of": "suspects", class: suspects.length === 1 ? "single" : null }, suspects.map(causeItem)));
}

function causeItem({ cause, node, what, command, proven, mend }, index) {
  const shown = proven ? say("Proved") : proven === false ? say("Not proved") : say("Compare");
  return el("li", { "data-suspect": index }, el("p", { class: "cause", "data-key": "what" }, text(what || cause)),
    el("dl", {}, el("dt", {}, say("Kind")), el("dd", {}, text(cause, { "data-key": "cause" })),
      node ? [el("dt", {}, say("Node")), el("dd", {}, text(node, { "data-key": "node" }))] : null,
      command ? [el("dt", {}, shown), el("dd", {}, say("by {0}", text(command, { class: "code command", "data-key": "command" })))] : null,
      mend ? [el("dt", {}, say("To mend it")), el("dd", {}, text(mend, { class: "mend", "data-key": "mend" }))] : null));
}

/** A field's name as the boxes have it, with its header's where that isn't the outermost. */
function fieldWords(name) {
  const [, prefix, bare] = /^(inner\.|middle\.|header \d+\.)?(.*)$/.exec(name);
  const label = own(differences(), name) ?? { hop_limit: "Hop Limit", segment_list: "Segment List", length_field: "Length" }[bare]
    ?? own(LABELS, bare) ?? own(LABELS, bare.replace(/^frame\./, "")) ?? bare.replaceAll("_", " ");
  const within = { "inner.": say("inner"), "middle.": say("middle") }[prefix] ?? prefix?.slice(0, -1);
  return `${within ? `${within} ` : ""}${label}`;
}

const differences = () => ({ count: say("how many packets"), share: say("share of the flows"), answers: say("answers") });
const aloneWords = (expected) => (there(expected) ? say("nobody: all three differ") : say("the author says nothing of it"));

function differsLine(hop) {
  if (!hop.differs?.length) return null;
  const groups = new Map();
  for (const { field, alone } of hop.differs) {
    if (!groups.has(alone)) groups.set(alone, []);
    groups.get(alone).push(fieldWords(field));
  }
  return el("p", { class: "here" }, el("b", {}, `✗ ${say("The witnesses part here")}`), ": ",
    [...groups].map(([alone, fields], index) => [index ? "; " : "", alone
      ? say("{0} {1}", el("b", {}, say("{0} stands alone in", witnessWord(alone))), fields.join(", "))
      : say("{0}: {1}", el("b", {}, say("not as predicted")), fields.join(", "))]));
}

/** What differs at a hop, and who stands alone. */
function differsView(hop) {
  if (!hop.differs?.length) return null;
  const notes = hop.differs.some(({ note }) => note);
  return el("div", { class: "differs" }, table(say("What each witness says where they part"),
    said(["Field", "Expected", "Predicted", "Captured", "Who stands alone", ...(notes ? ["Note"] : [])]),
    hop.differs.map(({ field, expected, predicted, captured, alone, note }) => ({ cells: [text(fieldWords(field)), dash(expected),
      dash(predicted), dash(captured), alone ? el("b", {}, `✗ ${witnessWord(alone)}`) : aloneWords(expected),
      ...(notes ? [dash(note)] : [])] }))));
}
