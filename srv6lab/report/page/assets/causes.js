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

const DIFFERENCES = { count: "how many packets", share: "share of the flows", answers: "answers" };
const aloneWords = (expected) => (there(expected) ? "nobody: all three differ" : "the author says nothing of it");

function differsLine(hop) {
  if (!hop.differs?.length) return null;
  const alone = [...new Set(hop.differs.map((one) => one.alone).filter(Boolean))];
  return el("p", { class: "here" }, el("b", {}, "✗ The witnesses part here"), ": ",
    hop.differs.map(({ field }) => DIFFERENCES[field] ?? field.replaceAll("_", " ")).join(", "),
    alone.length ? el("b", {}, `; ${alone.join(" and ")} stand${alone.length === 1 ? "s" : ""} alone`) : null);
}

/** What differs at a hop, and who stands alone. */
function differsView(hop) {
  if (!hop.differs?.length) return null;
  const notes = hop.differs.some(({ note }) => note);
  return el("div", { class: "differs" }, table("What each witness says where they part",
    ["Field", "Expected", "Predicted", "Captured", "Who stands alone", ...(notes ? ["Note"] : [])],
    hop.differs.map(({ field, expected, predicted, captured, alone, note }) => ({ cells: [text(DIFFERENCES[field] ?? field.replaceAll("_", " ")), dash(expected),
      dash(predicted), dash(captured), alone ? el("b", {}, `✗ ${alone}`) : aloneWords(expected),
      ...(notes ? [dash(note)] : [])] }))));
}
