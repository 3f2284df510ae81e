// On paper: every hop of the chosen exercise, in order.

function paperView(exercise) {
  const places = PLACES.filter((place) => place.exercise === exercise);
  const walks = Map.groupBy ? Map.groupBy(places, ({ walk }) => walk) : grouped(places);
  if (!places.length) return [];
  return [el("h2", {}, say("All hops of {0}", exercise.name)), ...[...walks.values()].map(paperWalk)];
}

function grouped(places) {
  const found = new Map();
  for (const place of places) found.set(place.walk, [...(found.get(place.walk) ?? []), place]);
  return found;
}

function paperWalk(places) {
  const { probe, walk } = places[0];
  return el("section", {}, el("h3", {}, say("Probe {0}: {1}", probe.id, walkWords(walk, probe.walks))), places.map((place, index) =>
    paperHop(place, places[index - 1]?.hop)));
}

function paperHop(place, before) {
  const { hop } = place;
  return el("article", { class: "paperhop" }, el("h4", {}, `${place.h + 1}. `, text(placeWords(hop)), " ", badge(hop.status)),
    reason(hop), quirkNames(hop), missing(hop) ? el("p", {}, say("Not captured here."), " ", say("What follows is the prediction.")) : null,
    differsView(hop), stack(place, 0, before));
}

/** What they mean stands once, in the list of departures. */
function quirkNames({ quirks: met }) {
  return met.length ? el("p", { class: "quirk" }, say("Linux departs from the RFC here: {0}", met.map(({ name }) => name).join(", "))) : null;
}

function fillPaper() {
  document.getElementById("paper").replaceChildren(...(state.place ? paperView(state.place.exercise) : []));
}

function emptyPaper() {
  document.getElementById("paper").replaceChildren();
}

addEventListener("beforeprint", fillPaper);
addEventListener("afterprint", emptyPaper);
