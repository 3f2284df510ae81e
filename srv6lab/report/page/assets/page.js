// The page put together: what is chosen, keys, the address, the way back.

const state = { place: null, frame: 0, all: false };
const $ = (id) => document.getElementById(id);

/** A walk's title; where two are called the same, the nodes on their ways too. */
function walkWords(walk, among = []) {
  const alike = among.filter(({ title }) => title === walk.title).length > 1;
  const way = alike ? say(", by {0}", [...new Set(walk.hops.map(({ node }) => node))].slice(1, -1).join(", ")) : "";
  return `${walk.title}${way}`;
}

function header() {
  const { made } = DOC;
  const statuses = DOC.exercises.map(({ status }) => status);
  const worst = ["fail", "inconclusive", "pass"].find((status) => statuses.includes(status));
  const skip = el("a", { href: "#content", class: "skip", click: (event) => {
    event.preventDefault(); // the address is the hop's
    ($("hop-title") ?? $("content")).focus();
  } }, say("Skip to the packet"));
  return el("header", {}, skip, el("div", { class: "titles" }, el("h1", {}, text(DOC.lab)), PREDICTION
    ? el("span", { class: "badge" }, say("prediction")) : badge(worst), el("p", {}, text(DOC.description ?? "")),
  el("p", { class: "made" }, PREDICTION ? say("Predicted by a model of RFC 8986; no packet was sent.") : say("Judged on captured packets."), " ",
    `srv6lab ${made.version}`, made.provider ? [", ", text(made.provider)] : "", made.when ? [", ", text(whenWords(made.when))] : "")),
  el("div", { class: "tools paperless", role: "group", "aria-label": say("Display") },
    languageButton(),
    button(say("Large text"), largeText, { "aria-pressed": String(document.documentElement.classList.contains("large")) }),
    button(say("Dark"), darkMode, { "aria-pressed": String(isDark()) }),
    button(say("Print"), () => print())));
}

/** `2026-01-31 12:00:00 UTC` of an ISO time in UTC; another is left as it is. */
const whenWords = (when) => when.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$/, "$1 $2 UTC");

const isDark = () => (document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

/** The other language, in its own words. */
function languageButton() {
  const [to, words] = language === "zh" ? ["en", "English"] : ["zh", "中文"];
  return button(words, () => {
    speak(to);
    drawAll(state.place);
    $("language").focus();
  }, { id: "language", lang: LANGUAGES[to] });
}

function largeText(event) {
  const on = document.documentElement.classList.toggle("large");
  event.currentTarget.setAttribute("aria-pressed", String(on));
  sizePicture();
  follow();
}

function darkMode(event) {
  const dark = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", String(dark));
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Links to a few, a list to choose from of many. `label` is in English; `mark` is what tells the choices of this kind apart. */
function choices(label, places, current, words, mark) {
  const id = `choose-${label.toLowerCase()}`;
  if (places.length > 12) {
    return el("div", { class: "choice" }, el("label", { for: id }, say(label)), el("select", { id,
      change: (event) => go(places[Number(event.target.value)], { push: true }) }, places.map((place, index) =>
      el("option", { value: index, selected: current(place), ...mark(place) }, words(place).filter(Boolean).map((word) =>
        (word instanceof Node ? word.textContent : word)).join(" ")))));
  }
  return el("div", { class: "choice" }, el("span", { class: "label", id }, say(label)),
    el("ul", { "aria-labelledby": id }, places.map((place) => el("li", {}, el("a", { href: `#${place.hash}`,
      "aria-current": current(place) ? "true" : null, ...mark(place) }, words(place))))));
}

/** The first hop of each exercise, of each probe of this one, of each walk of this probe. */
function pickers({ x, p, w }) {
  const all = [...PLACES, ...BLANKS].sort((a, b) => a.x - b.x || a.p - b.p || a.w - b.w);
  const first = (test, by) => all.filter(test).filter((place, index, some) => some.findIndex((one) => by(one) === by(place)) === index);
  return [
    choices("Exercise", first(() => true, (place) => place.x), (place) => place.x === x,
      ({ exercise }) => [badge(exercise.status, true), text(exercise.name)], ({ exercise }) => ({ "data-exercise": exercise.name })),
    p === null ? null : choices("Probe", first((place) => place.x === x, (place) => place.p), (place) => place.p === p,
      ({ probe }) => [text(probe.id), el("small", {}, ` ${probe.from} → ${probe.to}, ${probe.words}`)],
      ({ probe }) => ({ "data-probe": probe.id })),
    p === null ? null : choices("Walk", first((place) => place.x === x && place.p === p, (place) => place.w), (place) => place.w === w,
      ({ walk, probe }) => [text(walkWords(walk, probe.walks))], (place) => ({ "data-walk": place.w }))].filter(Boolean);
}

function controls() {
  const step = (by) => () => stepBy(by);
  return el("div", { class: "controls paperless", role: "group", "aria-label": say("Step through the walk") },
    button("|◀", () => goTo(0), { "aria-label": say("First hop"), title: say("First hop (Home)") }),
    button("◀", step(-1), { id: "back", "aria-label": say("Previous hop"), title: say("Previous hop (←)") }),
    button(`▶ ${say("Play")}`, play, { id: "play", "data-play": true, title: say("Play the walk (P)") }),
    button("▶", step(1), { id: "next", "aria-label": say("Next hop"), title: say("Next hop (→)") }),
    button("▶|", () => goTo(-1), { "aria-label": say("Last hop"), title: say("Last hop (End)") }),
    el("output", { id: "where" }),
    el("span", { class: "keys" }, say("{0} step, {1} plays", [el("kbd", {}, "←"), " ", el("kbd", {}, "→")], el("kbd", {}, "P"))));
}

function controlsState() {
  const places = placesOf(state.place);
  const { h, hop } = state.place;
  $("where").textContent = plain(say("{0} of {1}: {2}", h + 1, places.length, placeWords(hop)));
  $("play").textContent = playing ? `❚❚ ${say("Pause")}` : h === places.length - 1 ? `↻ ${say("Play again")}` : `▶ ${say("Play")}`;
  for (const [id, end] of [["back", 0], ["next", places.length - 1]]) {
    $(id).setAttribute("aria-disabled", String(h === end));
  }
}

function announce(words) {
  $("live").textContent = words;
}

/** A hop in words, for those who listen. */
function hopWords({ h, hop }, places) {
  const fields = seen(hop);
  const changes = changesOf(hop, places[h - 1]?.hop);
  const changed = [...changes.was.keys()].filter((name) => MAIN.test(name) && there(fields[name]));
  const fresh = headersOf(fields).filter((header) => isNew(header, changes));
  const titles = (headers) => headers.map(({ title }) => title).join(", ");
  return plain([say("Hop {0} of {1}, {2}", h + 1, places.length, placeWords(hop)), hop.behavior,
    fresh.length ? `${say("pushed")}: ${titles(fresh)}` : null, changes.popped.length ? `${say("taken off")}: ${titles(changes.popped)}` : null,
    changed.length ? `${say("changed")}: ${changed.map((name) => `${name.replaceAll("_", " ")} ${fields[name]}`).join(", ")}` : null,
    missing(hop) ? say("not captured") : null, hop.status ? statusWord(hop.status) : null].filter(Boolean).join(". "));
}

function stepBy(by, repeated = false) {
  if (!state.place?.hop) return;
  const next = placesOf(state.place)[state.place.h + by];
  if (playing) pause();
  if (next) go(next, { push: !repeated });
}

function goTo(index) {
  if (!state.place?.hop) return;
  if (playing) pause();
  go(placesOf(state.place).at(index), { push: true });
}

/** Shows a hop. Its address goes into the history with `push`, otherwise in the place of the last. */
function go(place, { push = false, silent = false } = {}) {
  const from = state.place;
  state.place = place;
  state.frame = 0;
  document.body.classList.toggle("blank", !place.hop);
  if (!from || keyOf(from) !== keyOf(place)) showWalk(place, from);
  if (place.hop) {
    showHop();
    movePacket(from, place);
    controlsState();
  }
  document.title = plain([place.hop ? placeWords(place.hop) : null, place.exercise.name, DOC.lab, "srv6lab"].filter(Boolean).join(" – "));
  if (!silent) address_(place, push);
  if (from) announce(place.hop ? hopWords(place, placesOf(place)) : $("blank").textContent);
}

function address_(place, push) {
  const hash = `#${place.hash}`;
  if (location.hash === hash) return;
  try {
    history[push ? "pushState" : "replaceState"](null, "", hash);
  } catch {
    // a page in a frame without an address of its own: it works all the same
  }
}

function showWalk(place, from) {
  const chosen = document.activeElement?.closest("#pickers .choice");
  const kind = chosen ? [...$("pickers").children].indexOf(chosen) : -1;
  $("pickers").replaceChildren(...pickers(place));
  $("pickers").children[kind]?.querySelector("select, [aria-current]")?.focus(); // it stays where it was
  if (!place.hop) $("hop").replaceChildren();
  $("changes").replaceChildren(...changedMeanwhile(place.probe));
  $("blank").replaceChildren(place.hop ? "" : el("div", { class: "notice" }, place.walk
    ? [say("No NIC sees this packet."), endWords(place.walk.end)] : say("This exercise has no packet to follow.")));
  $("strip").replaceChildren(place.hop ? stripView(place) : "");
  showWay(placesOf(place));
  if (from?.exercise === place.exercise) return;
  const { exercise } = place;
  $("about").replaceChildren(...[exercise.description ? el("p", { class: "description" }, text(exercise.description)) : null,
    exercise.note ? el("p", { class: "notice" }, text(exercise.note)) : null, causesView(exercise)].filter(Boolean));
  $("more").replaceChildren(...[proxiesView, alertsView, countersView, messagesView, policiesView, quirksView, verdictView]
    .map((view) => view(exercise)).filter(Boolean), topologyView());
}

/** What the exercise changes in the lab while a probe is sent. */
function changedMeanwhile(probe) {
  if (!probe?.changes?.length) return [];
  return [el("p", {}, el("b", {}, probe.across ? say("While this probe is on its way the exercise changes") : say("Before this probe the exercise changes")), ": ",
    probe.changes.map((change, index) => [index ? "; " : "", text(change)]))];
}

function showHop() {
  const { hop } = state.place;
  $("now").replaceChildren(train(seen(hop), changesOf(hop, placesOf(state.place)[state.place.h - 1]?.hop)));
  $("now").className = missing(hop) ? "lost" : "";
  chosenPart = null;
  const inside = $("hop").contains(document.activeElement);
  $("hop").replaceChildren(hopView(state.place, state.frame));
  if (inside) $("hop-title").focus({ preventScroll: true });
  for (const line of document.querySelectorAll("#strip [data-hop]")) {
    const now = Number(line.dataset.index) === state.place.h;
    if (now) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
    if (now) nearest(line.closest("ol"), line.parentElement);
  }
}

function showFrame(frame) {
  state.frame = frame;
  chosenPart = null;
  $("hop").replaceChildren(hopView(state.place, frame));
  document.querySelector(`#hop [data-packet][aria-pressed="true"]`)?.focus();
}

function keys(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const box = event.target.closest?.("input, select, textarea, .scrolling");
  if (box && !(box.matches(".scrolling") && box.scrollWidth <= box.clientWidth)) return; // it needs them itself
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) stepBy(step, event.repeat);
  else if (event.key === "Home") goTo(0);
  else if (event.key === "End") goTo(-1);
  else if (event.key === "p" || event.key === "P") play();
  else return;
  event.preventDefault();
}

/** What the address says: a hop, or nothing that is known here. */
function arrive() {
  const place = placeOf(location.hash);
  if (place && place !== state.place) {
    if (playing) pause();
    go(place, { silent: true });
  }
}

/** All of it anew, at a place. */
function drawAll(place) {
  if (playing) pause();
  Object.assign(state, { place: null, frame: 0 });
  $("page").replaceChildren(header(), el("nav", { id: "pickers", "aria-label": say("Exercise, probe and walk") }),
    el("main", { id: "content", tabindex: "-1" }, el("div", { id: "about" }), el("div", { id: "changes" }), el("div", { id: "blank" }), el("section", { class: "panel stage", "aria-labelledby": "stage-title" },
      el("h2", { id: "stage-title" }, say("Topology and packet")), pictureView(), controls(), el("div", { id: "now" })),
    el("div", { class: "columns" }, el("div", { id: "hop" }), el("div", { id: "strip" })), el("div", { id: "more" })),
    el("div", { id: "live", class: "spoken", role: "status", "aria-live": "polite" }));
  sizePicture();
  if (place) go(place, { silent: true });
  else nothing();
}

function build() {
  drawAll(placeOf(location.hash) ?? firstPlace());
  addEventListener("hashchange", arrive);
  addEventListener("popstate", arrive);
  addEventListener("keydown", keys);
  addEventListener("resize", sizePicture);
}

/** A document without a single hop still has its topology and its verdicts. */
function nothing() {
  document.querySelector(".controls").remove();
  $("strip").append(el("p", { class: "notice" }, say("No exercise here has a packet to follow.")));
  $("more").append(...DOC.exercises.flatMap((exercise) => [causesView(exercise), verdictView(exercise)]).filter(Boolean), topologyView());
}

try {
  build();
} catch (error) {
  $("page").prepend(el("p", { class: "notice", role: "alert" }, say("This page can't be drawn: {0}", error.message)));
  throw error;
}
document.documentElement.dataset.ready = "1";
