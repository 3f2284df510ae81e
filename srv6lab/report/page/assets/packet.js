// A packet as people draw it: its headers in a row, from the outermost to the payload.

const ICMP_TYPES = {
  4: { 0: "Echo Reply", 3: "Destination Unreachable", 5: "Redirect", 8: "Echo Request", 11: "Time Exceeded",
    12: "Parameter Problem" },
  6: { 1: "Destination Unreachable", 2: "Packet Too Big", 3: "Time Exceeded", 4: "Parameter Problem",
    128: "Echo Request", 129: "Echo Reply", 135: "Neighbor Solicitation", 136: "Neighbor Advertisement" },
};

/** What stands before the names of a header's fields, outermost first. */
function prefixes(fields) {
  const further = Object.keys(fields).map((name) => /^header (\d+)\.source$/.exec(name)?.[1]).filter(Boolean);
  const all = ["", "middle.", ...further.sort((a, b) => a - b).map((number) => `header ${number}.`), "inner."];
  return all.filter((prefix) => there(fields[`${prefix}source`]) && fields[`${prefix}source`]);
}

function versionOf(fields, prefix) {
  const said = fields[`${prefix}version`];
  return there(said) ? Number(said) : String(fields[`${prefix}source`]).includes(":") ? 6 : 4;
}

/** The headers of a packet: `kind` chooses the color, `names` are its fields. */
function headersOf(fields) {
  const found = [];
  const before = prefixes(fields);
  before.forEach((prefix, index) => {
    const version = versionOf(fields, prefix);
    const inner = index > 0;
    found.push({ kind: version === 6 ? (inner ? "ip6 within" : "ip6") : "ip4", title: `IPv${version}`,
      prefix, part: "ip", version, inner });
    if (there(fields[`${prefix}segment_list`])) {
      found.push({ kind: "srh", title: "SRH", prefix, part: "srh", inner });
    }
    if (there(fields[`${prefix}frame.source_mac`])) { // the frame that this header carries
      found.push({ kind: "eth", title: "Ethernet", prefix: `${prefix}frame.`, part: "frame", inner: true });
    }
  });
  const last = before.length ? versionOf(fields, before.at(-1)) : 4;
  if (there(fields["icmp.type"])) {
    found.push({ kind: "upper", title: last === 6 ? "ICMPv6" : "ICMP", prefix: "icmp.", part: "icmp", version: last });
  }
  if (there(fields["udp.destination_port"])) found.push({ kind: "upper", title: "UDP", prefix: "udp.", part: "udp" });
  if (there(fields["tcp.destination_port"])) found.push({ kind: "upper", title: "TCP", prefix: "tcp.", part: "tcp" });
  return found;
}

/** Where the same header stood a hop before, counted from the innermost: pushing and popping outer ones keeps the
 * pairs. Null for a header that is new here. */
function pairsOf(before, now) {
  const [old, current] = [prefixes(before), prefixes(now)];
  return new Map(current.map((prefix, index) => [prefix, old[old.length - (current.length - index)] ?? null]));
}

/** What changed since the hop before: fields with what they were, headers that are new and those taken off. */
function changesOf(hop, before, frame = 0) {
  if (!before) return { was: new Map(), pushed: new Set(), popped: [] };
  const [old, now] = [seen(before), seen(hop, frame)];
  const pairs = pairsOf(old, now);
  const was = new Map();
  const same = prefixes(old).length === prefixes(now).length;
  for (const name of same ? hop.changed ?? [] : comparable(now)) {
    const prefix = [...pairs.keys()].filter((one) => name.startsWith(one)).at(-1) ?? "";
    const header = IP_FIELDS.includes(name.slice(prefix.length)) || /(^|\.)(frame|srh|segment)/.test(name);
    const pair = same || !header ? name : pairs.get(prefix) === null ? null : pairs.get(prefix) + name.slice(prefix.length);
    if (pair !== null && (same || (there(old[pair]) && old[pair] !== now[name]))) was.set(name, old[pair]);
  }
  const kept = new Set(pairs.values());
  const srhs = [...pairs].filter(([prefix, pair]) => pair !== null && there(now[`${prefix}segment_list`]) && !there(old[`${pair}segment_list`]));
  return { was, pushed: new Set([...pairs].filter(([, pair]) => pair === null).map(([prefix]) => prefix)),
    pushedSrh: new Set(srhs.map(([prefix]) => prefix)),
    popped: headersOf(old).filter(({ part, prefix }) => (part === "ip" && !kept.has(prefix)) || (part === "srh" &&
      (!kept.has(prefix) || ![...pairs].some(([new_, pair]) => pair === prefix && there(now[`${new_}segment_list`]))))) };
}

const comparable = (fields) => Object.keys(fields).filter((name) => there(fields[name]));

const isNew = ({ part, prefix }, { pushed, pushedSrh }) =>
  (part === "ip" || part === "srh") && (pushed.has(prefix) || (part === "srh" && Boolean(pushedSrh?.has(prefix))));

/** Marks a value that isn't what it was a hop before. */
function changing(was, name, ...content) {
  return was.has(name) ? el("mark", {}, spoken(say("changed"), ": "), ...content) : el("span", {}, ...content);
}

function segmentCells(fields, prefix, was) {
  const { list, left } = segmentsOf(fields, prefix);
  const moved = was.has(`${prefix}segments_left`) || was.has(`${prefix}segment_list`);
  return el("span", { class: `segments${moved ? " moved" : ""}` }, list.map((segment, index) => {
    const active = index === left;
    return el("span", { class: active ? "active" : null, title: wordsFor(segment) || null },
      active ? [el("b", { "aria-hidden": "true" }, "▶"), spoken(" ", say("active"), ": ")] : spoken(" "), text(segment));
  }), left >= list.length ? el("span", { class: "active" }, el("b", { "aria-hidden": "true" }, "▶"), ` ${say("in the destination")}`) : null);
}

const BRIEF = {
  ip: (fields, { prefix }, { was }) => [
    changing(was, `${prefix}source`, text(fields[`${prefix}source`])), " → ",
    changing(was, `${prefix}destination`, text(fields[`${prefix}destination`])),
    there(fields[`${prefix}hop_limit`])
      ? [" ", changing(was, `${prefix}hop_limit`, `hl ${fields[`${prefix}hop_limit`]}`)] : null],
  srh: (fields, { prefix }, { was }) => [
    changing(was, `${prefix}segments_left`, `SL ${fields[`${prefix}segments_left`]}`), " ",
    segmentCells(fields, prefix, was)],
  udp: (fields) => [text(fields["udp.destination_port"])],
  tcp: (fields) => [text(fields["tcp.destination_port"])],
};

/** The headers in a row, each with what matters of it. A packet that is as it was is drawn without its words. */
function train(fields, changes, unchanged = false) {
  const headers = headersOf(fields);
  if (!headers.length) return el("span", { class: "train" }, el("i", {}, say("no packet")));
  const boxes = headers.map((header) => el("span", { class: `box ${header.kind}${isNew(header, changes) ? " new" : ""}` },
    isNew(header, changes) ? el("b", {}, "+ ") : null, el("b", {}, header.title), " ",
    unchanged ? null : (BRIEF[header.part] ?? (() => []))(fields, header, changes)));
  const gone = changes.popped.map((header) =>
    el("span", { class: `box gone ${header.kind}` }, el("s", {}, spoken(say("taken off"), ": "), header.title)));
  return el("span", { class: "train" }, gone, boxes);
}
