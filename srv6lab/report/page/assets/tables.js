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
    if (!all && rows.length > FEW) box.append(button(`Show all ${rows.length}`, () => show(status, true)));
  };
  show("all");
  const count = (status) => exercise.items.filter((item) => item.status === status).length;
  const choices = ["all", ...statuses].map((status) => el("label", {},
    el("input", { type: "radio", name: "verdict", value: status, checked: status === "all", change: () => show(status) }),
    status === "all" ? `all ${exercise.items.length}` : [badge(status), ` ${count(status)}`]));
  return section("Verdict", el("p", {}, badge(exercise.status), ` ${plural(exercise.items.length, "thing")} judged`,
    there(exercise.seconds) ? `, ${exercise.seconds} s` : ""),
  el("fieldset", { class: "choices paperless" }, el("legend", {}, "Show"), choices), box);
}

function verdictTable(exercise, items) {
  return table("What was judged, and what each witness says",
    ["What", "Status", "Where", "Probe", "Field", "Expected", "Predicted", "Captured", "Alone", "Note"],
    items.map((item) => ({ class: `item ${own(STATUS_WORDS, item.status) ?? ""}`, "data-item": exercise.items.indexOf(item),
      keys: ["kind", "status", "point", "probe", "field", "expected", "predicted", "captured", "alone", "note"], cells: [text(item.kind), badge(item.status),
      item.point ? toHop(placeOfItem(exercise, item), [item.point, item.direction].filter(Boolean).join(" ")) : "–",
      dash(item.probe), dash(item.field), dash(item.expected), dash(item.predicted), dash(item.captured),
      item.alone ? el("b", {}, text(item.alone)) : "–", itemNote(item)] })), { class: "verdict", "data-part-of": "items" });
}

function itemNote(item) {
  const notes = [item.note ? text(item.note) : null,
    item.quirks?.length ? el("small", {}, `Linux: ${item.quirks.join(", ")}`) : null,
    item.location ? el("small", {}, text(item.location)) : null].filter(Boolean);
  return notes.length ? notes.flatMap((note, index) => (index ? [el("br"), note] : [note])) : "–";
}

function alertsView({ alerts }) {
  return section("Alerts", table("Alerts of the services", ["Service", "Signature", "Source", "Destination", "Tunnel", "Count"],
    alerts.map(({ service, signature, source, destination, tunnel, count }) => ({ cells: [text(service), text(signature),
      there(source) ? address(source) : "–", there(destination) ? address(destination) : "–", dash(tunnel), text(count)] })),
  { "data-part-of": "alerts", keys: ["service", "signature", "source", "destination", "tunnel", "count"] }));
}

function countersView({ counters }) {
  return section("Counters", table("Counters of SIDs and firewalls", ["Counter", "Expected", "Seen", "Status"],
    counters.map(({ what, expected, seen: value, status }) => ({ cells: [text(what), dash(expected), dash(value), badge(status) ?? "–"] })),
  { "data-part-of": "counters", keys: ["what", "expected", "seen", "status"] }));
}

function proxiesView({ proxies }) {
  return section("SR proxies, before and after", proxies.map(({ behavior, node, sid, columns, rows, witness, probe }) =>
    table(`${behavior} on ${node}, SID ${sid}, probe ${probe ?? ""}: what each half of it takes in and gives out (${witness})`,
      ["Side", ...columns], rows.map(({ before, cells }) => ({ class: before ? "before" : "after",
        cells: [before ? "before" : "after", ...cells.map(dash)] })), { class: "proxy", "data-part-of": "proxies" })));
}

function messagesView({ messages }) {
  return section("Routing messages", table("Messages of the routing protocols that were judged",
    ["Protocol", "At", "Message", "Status"],
    messages.map(({ at: point, direction, protocol, words, status }) => ({ cells: [text(protocol),
      text([point, direction].filter(Boolean).join(" ")), text(words), badge(status) ?? "–"] })),
  { "data-part-of": "messages", keys: ["protocol", "at", "words", "status"] }));
}

function policiesView({ policies }) {
  return section("SR policies", policies.map(({ headend, policy, candidates, when, action, binding_sid: binding }) => [
    table(`Candidate paths of ${policy} at headend ${headend}`,
      ["Candidate path", "Preference", "Valid", "Active", "Why", "Segment lists"],
      candidates.map(({ name, preference, valid, active, why, lists }) => ({ class: active ? "won" : null,
        cells: [text(name), dash(preference), valid ? "✓ valid" : "✗ not valid",
          active ? el("b", {}, "▶ active") : "no", dash(why), listed((lists ?? []).map(segmentListWords))] })),
      { "data-part-of": "policies", keys: ["name", "preference", "valid", "active", "why", "lists"] }),
    el("p", {}, el("small", {}, [action ? `action ${action}` : null, binding ? `binding SID ${binding}` : null,
      when?.length ? `while ${when.join("; ")}` : null].filter(Boolean).join(", ")))]));
}

function segmentListWords({ segments, weight, faults }) {
  return `${segments.join(", ")}, weight ${weight}${faults?.length ? ` – ${faults.join("; ")}` : ""}`;
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
    [el("dt", {}, text(name)), el("dd", {}, text(what), where ? [" (", text(where), ")"] : "", ". ", el("small", {}, "At ",
      places.slice(0, 12).map((place, index) => [index ? ", " : "", toHop(place, placeWords(place.hop))]),
      places.length > 12 ? ` and ${places.length - 12} more` : ""))])) : null);
}

function topologyView() {
  const nodes = table("Nodes", ["Node", "Role", "Locator", "Addresses", "SIDs", "Services", "Policies"],
    DOC.picture.nodes.map((node) => ({ id: `node-${node.name}`, cells: [text(node.name), text(node.role), dash(node.locator),
      listed(node.addresses), listed(node.sids.map(({ sid, behavior, what }) => `${sid} ${behavior}${what ? `, ${what}` : ""}`)),
      listed(node.services.map(({ name, engine, netns }) =>
        [name, engine && engine !== name ? `(${engine})` : "", netns ? `in ${netns}` : ""].filter(Boolean).join(" "))),
      listed(node.policies)] })));
  const links = table("Links", ["Link", "Prefixes", "Ends"], DOC.picture.links.map(({ name, prefixes: found, ends }) =>
    ({ cells: [text(name), listed(found), listed(ends.map(({ point, addresses }) => [point, ...addresses].join(" ")))] })));
  return section("Topology in words", el("details", {}, el("summary", {}, pictureWords().split(". ")[0]), nodes, links));
}

function listed(lines) {
  return lines.length ? lines.map((line, index) => [index ? el("br") : null, text(line)]) : "–";
}
