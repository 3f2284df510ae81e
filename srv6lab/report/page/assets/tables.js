// What else came of an exercise, as tables: verdict, alerts, counters, proxies, messages, policies; the topology in words.

const dash = (value) => (value === null || value === undefined || value === "" ? "–" : text(value));
const FEW = 400; // rows of a verdict that are shown at once

function toHop(place, words) {
  return place ? el("a", { href: `#${place.hash}` }, text(words)) : text(words);
}

function verdictView(exercise) {
  if (PREDICTION || !exercise.items.length) return null;
  const statuses = ["fail", "inconclusive", "pass"].filter((status) => exercise.items.some((item) => item.status === status));
  const box = el("div");
  const show = (status, all = false) => {
    const rows = exercise.items.filter((item) => status === "all" || item.status === status);
    box.replaceChildren(verdictTable(exercise, all ? rows : rows.slice(0, FEW)));
    if (!all && rows.length > FEW) box.append(button(say("Show all {0}", rows.length), () => show(status, true)));
  };
  show("all");
  const count = (status) => exercise.items.filter((item) => item.status === status).length;
  const choices = ["all", ...statuses].map((status) => el("label", {},
    el("input", { type: "radio", name: "verdict", value: status, checked: status === "all", change: () => show(status) }),
    status === "all" ? say("all {0}", exercise.items.length) : [badge(status), ` ${count(status)}`]));
  return section("Verdict", el("p", {}, badge(exercise.status), " ", say("{0} judged", plural(exercise.items.length, "thing")),
    there(exercise.seconds) ? `, ${exercise.seconds} s` : ""),
  el("fieldset", { class: "choices paperless" }, el("legend", {}, say("Show")), choices), box);
}

function verdictTable(exercise, items) {
  return table(say("What was judged, and what each witness says"),
    said(["What", "Status", "Where", "Probe", "Field", "Expected", "Predicted", "Captured", "Alone", "Note"]),
    items.map((item) => ({ class: `item ${own(STATUS_WORDS, item.status) ?? ""}`, "data-item": exercise.items.indexOf(item),
      keys: ["kind", "status", "point", "probe", "field", "expected", "predicted", "captured", "alone", "note"], cells: [text(item.kind), badge(item.status),
      item.point ? toHop(placeOfItem(exercise, item), [item.point, item.direction].filter(Boolean).join(" ")) : "–",
      dash(item.probe), dash(item.field), dash(item.expected), dash(item.predicted), dash(item.captured),
      item.alone ? el("b", {}, text(witnessWord(item.alone))) : "–", itemNote(item)] })), { class: "verdict", "data-part-of": "items" });
}

function itemNote(item) {
  const notes = [item.note ? text(item.note) : null,
    item.quirks?.length ? el("small", {}, `Linux: ${item.quirks.join(", ")}`) : null,
    item.location ? el("small", {}, text(item.location)) : null].filter(Boolean);
  return notes.length ? notes.flatMap((note, index) => (index ? [el("br"), note] : [note])) : "–";
}

function alertsView({ alerts }) {
  return section("Alerts", table(say("Alerts of the services"), said(["Service", "Signature", "Source", "Destination", "Tunnel", "Count"]),
    alerts.map(({ service, signature, source, destination, tunnel, count }) => ({ cells: [text(service), text(signature),
      there(source) ? address(source) : "–", there(destination) ? address(destination) : "–", dash(tunnel), text(count)] })),
  { "data-part-of": "alerts", keys: ["service", "signature", "source", "destination", "tunnel", "count"] }));
}

function countersView({ counters }) {
  return section("Counters", table(say("Counters of SIDs and firewalls"), said(["Counter", "Expected", "Seen", "Status"]),
    counters.map(({ what, expected, seen: value, status }) => ({ cells: [text(what), dash(expected), dash(value), badge(status) ?? "–"] })),
  { "data-part-of": "counters", keys: ["what", "expected", "seen", "status"] }));
}

function proxiesView({ proxies }) {
  return section("SR proxies, before and after", proxies.map(({ behavior, node, sid, columns, rows, witness, probe }) =>
    table(say("{0} on {1}, SID {2}, probe {3}: what each half of it takes in and gives out ({4})", behavior, node, sid, probe ?? "",
      witnessWord(witness)), [say("Side"), ...columns], rows.map(({ before, cells }) => ({ class: before ? "before" : "after",
        cells: [before ? say("before") : say("after"), ...cells.map(dash)] })), { class: "proxy", "data-part-of": "proxies" })));
}

function messagesView({ messages }) {
  return section("Routing messages", table(say("Messages of the routing protocols that were judged"),
    said(["Protocol", "At", "Message", "Status"]),
    messages.map(({ at: point, direction, protocol, words, status }) => ({ cells: [text(protocol),
      text([point, direction].filter(Boolean).join(" ")), text(words), badge(status) ?? "–"] })),
  { "data-part-of": "messages", keys: ["protocol", "at", "words", "status"] }));
}

function policiesView({ policies }) {
  return section("SR policies", policies.map(({ headend, policy, candidates, when, action, binding_sid: binding }) => [
    table(say("Candidate paths of {0} at headend {1}", policy, headend),
      said(["Candidate path", "Preference", "Valid", "Active", "Why", "Segment lists"]),
      candidates.map(({ name, preference, valid, active, why, lists }) => ({ class: active ? "won" : null,
        cells: [text(name), dash(preference), valid ? `✓ ${say("valid")}` : `✗ ${say("not valid")}`,
          active ? el("b", {}, `▶ ${say("active")}`) : say("no"), dash(why), listed((lists ?? []).map(segmentListWords))] })),
      { "data-part-of": "policies", keys: ["name", "preference", "valid", "active", "why", "lists"] }),
    el("p", {}, el("small", {}, [action ? say("action {0}", action) : null, binding ? say("binding SID {0}", binding) : null,
      when?.length ? say("while {0}", when.join("; ")) : null].filter(Boolean).join(", ")))]));
}

function segmentListWords({ segments, weight, faults }) {
  return `${segments.join(", ")}${say(", weight {0}", weight)}${faults?.length ? ` – ${faults.join("; ")}` : ""}`;
}

/** All departures of Linux that the exercise's hops met, each once. */
function quirksView(exercise) {
  const met = new Map();
  for (const place of PLACES.filter((one) => one.exercise === exercise)) {
    for (const quirk of place.hop.quirks) {
      if (!met.has(quirk.name)) met.set(quirk.name, { ...quirk, at: [] });
      met.get(quirk.name).at.push(place);
    }
  }
  return section("Where Linux departs from the RFC", met.size ? el("dl", {}, [...met].map(([name, { what, section: where, at: places }]) =>
    [el("dt", {}, text(name)), el("dd", {}, text(what), where ? [" (", text(where), ")"] : "", ". ", el("small", {}, say("At {0}",
      places.slice(0, 12).map((place, index) => [index ? ", " : "", toHop(place, placeWords(place.hop))])),
      places.length > 12 ? say(" and {0} more", places.length - 12) : ""))])) : null);
}

function topologyView() {
  const nodes = table(say("Nodes"), said(["Node", "Role", "Locator", "Addresses", "SIDs", "Services", "Policies"]),
    DOC.picture.nodes.map((node) => ({ id: `node-${node.name}`, cells: [text(node.name), text(node.role), dash(node.locator),
      listed(node.addresses), listed(node.sids.map(({ sid, behavior, what }) => `${sid} ${behavior}${what ? `, ${what}` : ""}`)),
      listed(node.services.map(({ name, engine, netns }) =>
        [name, engine && engine !== name ? `(${engine})` : "", netns ? say("in {0}", netns) : ""].filter(Boolean).join(" "))),
      listed(node.policies)] })));
  const links = table(say("Links"), said(["Link", "Prefixes", "Ends"]), DOC.picture.links.map(({ name, prefixes: found, ends }) =>
    ({ cells: [text(name), listed(found), listed(ends.map(({ point, addresses }) => [point, ...addresses].join(" ")))] })));
  return section("Topology in words", el("details", {}, el("summary", {}, sizeWords()), nodes, links));
}

function listed(lines) {
  return lines.length ? lines.map((line, index) => [index ? el("br") : null, text(line)]) : "–";
}
