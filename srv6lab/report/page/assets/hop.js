// One hop in full: why the packet is as it is, its headers, its bytes.

function hopView(place, frame) {
  const places = placesOf(place);
  const { hop } = place;
  const before = places[place.h - 1]?.hop;
  return el("article", { class: "hop panel", "aria-labelledby": "hop-title" },
    el("div", { class: "hophead" }, el("h2", { id: "hop-title", tabindex: "-1" }, text(placeWords(hop))), badge(hop.status),
      el("span", { class: "turn" }, say("hop {0} of {1}", place.h + 1, places.length)),
      allFields(), button(say("Copy link"), copyLink, { id: "copy" })),
    el("div", { class: "why" }, reason(hop), pushedAndPopped(hop, before)), differsLine(hop), causesHere(place), notCaptured(hop),
    el("div", { class: "halves" }, stack(place, frame, before), hop.captured?.length ? hexView(hop, frame) : null),
    differsView(hop), quirks(hop, before));
}

function reason({ behavior, reason: words, status }) {
  if (!behavior && !words) return null;
  const model = status && status !== "pass" ? `${say("By the model")} ` : null; // the packets say otherwise
  return el("p", {}, model ? el("span", { class: "note" }, model) : null,
    behavior ? el("b", {}, text(behavior)) : null, behavior && words ? ": " : "", text(words ?? ""));
}

/** What Linux does otherwise, where it begins to; further on its name is enough. */
function quirks(hop, before) {
  const known = new Set(before?.quirks.map(({ name }) => name));
  const still = hop.quirks.filter(({ name }) => known.has(name)).map(({ name }) => name);
  return [hop.quirks.filter(({ name }) => !known.has(name)).map(({ name, what, section: where }) =>
    el("p", { class: "quirk" }, el("b", {}, say("Linux departs from {0} here", where ?? say("the RFC"))), `: ${what} (${name}).`)),
  still.length ? el("p", { class: "quirk" }, say("Still as Linux does it: {0}", still.join(", "))) : null];
}

/** Which headers are new here and which are gone. */
function pushedAndPopped(hop, before) {
  const changes = changesOf(hop, before);
  const fresh = headersOf(seen(hop)).filter((header) => isNew(header, changes));
  const names = (headers) => headers.map(({ title }) => title).join(", ");
  if (!fresh.length && !changes.popped.length) return null;
  return el("p", { class: "pushed" }, fresh.length ? [el("b", {}, `+ ${say("pushed")}`), `: ${names(fresh)} `] : null,
    changes.popped.length ? [el("b", {}, `− ${say("taken off")}`), `: ${names(changes.popped)}`] : null);
}

/** The causes at this node, where something differs or is missing here. */
function causesHere({ hop, exercise }) {
  if (hop.status !== "fail") return null;
  const here = exercise.suspects.filter(({ node }) => node === hop.node);
  return here.length ? el("p", { class: "here" }, el("b", {}, say("Cause")), `: ${here[0].what}`) : null;
}

function notCaptured(hop) {
  return missing(hop) ? el("p", { class: "notice" }, el("b", {}, hop.status ? say("Not captured here.") : say("No tracer is here.")),
    " ", say("What follows is the prediction.")) : null;
}

function frames(hop, frame) {
  if (!hop.captured?.length) return null;
  const { number, file, time, length } = hop.captured[frame];
  const since = Math.min(...placesOf(state.place).flatMap((place) => (place.hop.captured ?? []).map((packet) => packet.time)));
  const count = hop.count ?? hop.captured.length;
  return el("div", { class: "frame" }, el("span", { id: "frames" }, say("{0} captured", plural(count, "packet")),
    count > hop.captured.length ? say(", the first {0} here", hop.captured.length) : "", ": "),
  el("span", { role: "group", "aria-labelledby": "frames" }, hop.captured.map((packet, index) =>
    button(String(index + 1), () => showFrame(index), { "data-packet": packet.number, "aria-label": say("Packet {0}", index + 1),
      "aria-pressed": String(index === frame) }))),
  el("span", {}, say("frame {0} of {1}, {2} bytes", number, text(file), length),
    there(time) ? [", ", el("span", { title: new Date(time * 1000).toISOString() }, `+${(time - since).toFixed(6)} s`)] : ""));
}

function allFields() {
  return el("label", { class: "paperless toggle" }, el("input", { type: "checkbox", id: "all-fields", checked: state.all,
    change: (event) => {
      state.all = event.target.checked;
      document.body.classList.toggle("allfields", state.all);
    } }), say("All fields"));
}

async function copyLink() {
  const link = location.href.split("#")[0] + `#${state.place.hash}`;
  const done = (words) => {
    document.getElementById("copy").textContent = words;
    announce(words);
  };
  try {
    await navigator.clipboard.writeText(link);
    done(say("Copied"));
  } catch {
    showLink(link, done);
  }
}

/** Where the clipboard isn't ours to write, as in a file in some browsers: the link to be copied by hand. */
function showLink(link, done) {
  const field = el("input", { readonly: true, value: link, "aria-label": say("Link to this hop"), class: "link" });
  document.getElementById("copy").after(field);
  field.select();
  const copied = document.execCommand?.("copy");
  if (copied) field.remove();
  done(copied ? say("Copied") : say("Copy it from here"));
}

/** The whole walk, a line a hop; each is a link. */
function stripView(place) {
  const places = placesOf(place);
  const { walk } = place;
  return el("section", { class: "panel strip", "aria-labelledby": "strip-title" },
    el("h2", { id: "strip-title" }, say("The walk, NIC by NIC")),
    (walk.choices ?? []).map((choice) => el("p", { class: "choice-made" }, say("if {0}", text(choice)))),
    el("ol", {}, places.map((one, index) => stripLine(one, places[index - 1]?.hop))),
    endOf(places, walk.end), walk.linux_end ? endWords(walk.linux_end, `${say("On Linux")}: `) : null,
    places.some(({ hop }) => !hop.captured?.length && Object.keys(hop.linux ?? {}).length)
      ? el("p", {}, el("small", {}, say("Predicted packets are drawn as Linux writes them; where the RFC says otherwise, the boxes show both."))) : null,
    walk.witness === "captured" ? el("p", { class: "notice" }, say("These packets were captured; the model doesn't foresee them.")) : null);
}

/** How a walk ends; by the prediction alone where its last packets weren't captured. */
function endOf(places, end) {
  if (!end?.delivered || !places.some(({ hop }) => hop.status === "fail" && missing(hop))) return endWords(end);
  const last = places.findLast(({ hop }) => hop.captured?.length);
  return el("p", { class: "end" }, el("b", {}, `✗ ${say("not delivered")}`), say(": the prediction is that it is delivered at {0}; in this run {1}", text(end.at),
    last ? say("its packets were last seen at {0}", toHop(last, placeWords(last.hop))) : say("none of its packets was seen")));
}

function endWords(end, who = "") {
  if (!end) return null;
  const word = end.delivered ? `✓ ${say("delivered")}` : end.known ? `✗ ${say("lost")}` : `? ${say("not modeled from here on")}`;
  return el("p", { class: end.delivered ? "end delivered" : "end" }, who, say("{0} at {1}", el("b", {}, word), text(end.at)),
    end.reason ? [": ", text(end.reason)] : null);
}

function stripLine(place, before) {
  const { hop } = place;
  const lost = missing(hop);
  const changes = changesOf(hop, before);
  const unchanged = before && hop.status !== "fail" && !changes.popped.length && !changes.pushed.size
    && [...changes.was.keys()].every((name) => ALWAYS_NEW.test(name));
  return el("li", {}, el("a", { href: `#${place.hash}`, "data-hop": hop.id, "data-index": place.h, class: `${hop.status ?? ""}${lost ? " lost" : ""}` },
    el("span", { class: "point" }, text(hop.point), " ", el("span", { class: "way" },
      el("span", { "aria-hidden": "true" }, hop.direction === "out" ? "→ " : "⇥ "), hop.direction)),
    hop.behavior ? el("span", { class: "behavior" }, text(hop.behavior)) : null, badge(hop.status, true),
    lost ? el("i", { class: "lost" }, hop.status ? say("not captured, predicted: ") : say("no tracer here, predicted: ")) : null, train(seen(hop), changes, unchanged)));
}
