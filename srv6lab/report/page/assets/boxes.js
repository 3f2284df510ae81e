// The headers stacked as boxes; in each, what the witnesses say of its fields, side by side.

const LABELS = {
  source: "Source Address", destination: "Destination Address", protocol: "Upper-Layer Protocol",
  next_header: "Next Header", length: "Packet Length", flow_label: "Flow Label", version: "Version",
  header_length: "Header Length", traffic_class: "Traffic Class", flags: "Flags", fragment_offset: "Fragment Offset",
  checksum: "Header Checksum", identification: "Identification", segments_left: "Segments Left", oam: "O-flag",
  tag: "Tag", hmac: "HMAC", "srh.hdr_ext_len": "Hdr Ext Len", "srh.last_entry": "Last Entry", "srh.flags": "Flags",
  "srh.tag": "Tag", "srh.tlvs": "TLVs", source_mac: "Source MAC", destination_mac: "Destination MAC",
  "icmp.type": "Type", "icmp.code": "Code", "icmp.checksum": "Checksum", "icmp.identifier": "Identifier",
  "icmp.sequence": "Sequence Number", "udp.source_port": "Source Port", "udp.destination_port": "Destination Port",
  "udp.length": "Length", "udp.checksum": "Checksum", "tcp.source_port": "Source Port",
  "tcp.destination_port": "Destination Port", payload: "Payload", echo_time: "Time in the payload",
};
const IP_FIELDS = ["source", "destination", "hop_limit", "protocol", "next_header", "length", "length_field",
  "flow_label", "version", "header_length", "traffic_class", "flags", "fragment_offset", "checksum", "identification"];
const SRH_FIELDS = ["segments_left", "segment_list", "srh.last_entry", "srh.hdr_ext_len", "oam", "srh.flags", "tag",
  "srh.tag", "srh.tlvs", "hmac"];
const MAIN = /(^|\.)(frame\.\w+|source|destination|hop_limit|segments_left|segment_list|hmac|icmp\.type|.*_port)$/;
const ALWAYS_NEW = /_mac$/; // every link has its own

function witnessWord(name) {
  return own({ expected: say("expected"), predicted: say("predicted"), captured: say("captured") }, name) ?? name;
}

const WITNESSES = ["expected", "predicted", "captured"]; // as far as they say something at a hop

function labelOf(name, header) {
  const bare = name.slice(header.part === "ip" || header.part === "srh" ? header.prefix.length : 0);
  if (bare === "hop_limit") return header.version === 6 ? "Hop Limit" : "Time to Live";
  if (bare === "length_field") return header.version === 6 ? "Payload Length" : "Total Length";
  if (bare === "protocol" && header.version === 4) return "Protocol";
  return LABELS[bare] ?? LABELS[bare.replace(/^frame\./, "")] ?? bare;
}

/** The names of a header's fields, as far as a witness has them. */
function namesOf(header, all) {
  const fits = {
    eth: ["source_mac", "destination_mac"],
    frame: ["source_mac", "destination_mac"].map((name) => header.prefix + name),
    ip: IP_FIELDS.map((name) => header.prefix + name),
    srh: SRH_FIELDS.map((name) => header.prefix + name),
  }[header.part] ?? Object.keys(all).filter((name) => name.startsWith(header.prefix));
  return fits.filter((name) => there(all[name]) && all[name] !== "");
}

/** What each witness says, and all of it in one, so that a header which one of them lacks has its box. */
function witnesses(hop, frame) {
  const says = { expected: hop.expected ?? {}, predicted: hop.predicted ?? {},
    captured: hop.captured?.[frame]?.fields ?? {} };
  const some = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => there(value)));
  return { says, all: { ...some(says.expected), ...some(says.predicted), ...some(says.captured) } };
}

function stack(place, frame, before) {
  const { hop } = place;
  const { says, all } = witnesses(hop, frame);
  const shown = WITNESSES.filter((name) => Object.keys(says[name]).length);
  const context = { hop, says, all, shown, frame, changes: changesOf(hop, before, frame) };
  const headers = headersOf(all);
  const boxes = [];
  if (there(all.source_mac)) boxes.push({ kind: "eth minor", title: "Ethernet", part: "eth", prefix: "" });
  boxes.push(...headers);
  if (there(all.payload)) boxes.push({ kind: "data minor", title: "Payload", part: "data", prefix: "payload" });
  const used = new Set();
  return el("ol", { class: "stack" }, boxes.map((header) => {
    const names = namesOf(header, all).filter((name) => !used.has(name));
    names.forEach((name) => used.add(name));
    return names.length ? el("li", { class: `header ${header.kind}` }, headerBox(header, names, context)) : null;
  }));
}

function headerBox(header, names, context) {
  const title = [header.inner && header.part !== "srh" ? say("Inner {0}", header.title) : header.title,
    isNew(header, context.changes) ? el("span", { class: "newhere" }, ` + ${say("new here")}`) : null];
  const rows = names.flatMap((name) => (name === `${header.prefix}segment_list`
    ? segmentRows(name, header, context) : [fieldRow(name, header, context)]));
  return el("table", {}, el("caption", {}, title),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, spoken(say("field"))),
      context.shown.map((witness) => el("th", { scope: "col" }, witnessWord(witness))))),
    el("tbody", {}, rows));
}

/** What came of a field at this hop: does it differ, did it change, is it worth a line? */
function stateOf(name, { hop, changes }) {
  const differs = hop.differs?.find((one) => one.field === name);
  const changed = changes.was.has(name);
  const minor = !differs && !(MAIN.test(name) || (changed && !ALWAYS_NEW.test(name)));
  return { differs, changed, minor, was: changed ? changes.was.get(name) : null };
}

function fieldRow(name, header, context) {
  const { differs, changed, minor, was } = stateOf(name, context);
  const note = changed
    ? el("small", { class: "was" }, el("b", {}, say("changed")), there(was) ? say(", was {0}", text(was)) : say(", was not there")) : null;
  return el("tr", rowAttributes(name, { minor, differs, changed }), el("th", { scope: "row" }, labelOf(name, header), note),
    context.shown.map((witness) => el("td", { "data-witness": witness }, cell(name, witness, header, context, differs))));
}

function rowAttributes(name, { minor, differs, changed }) {
  return { class: [minor ? "minor" : "", differs ? "differs" : "", changed ? "changed" : ""].join(" "), "data-field": name,
    "data-changed": Boolean(changed), "data-differs": Boolean(differs) };
}

function cell(name, witness, header, context, differs) {
  const value = context.says[witness][name];
  const notes = [mark(witness, differs)];
  const linux = own(context.hop.linux, name);
  if (witness === "predicted" && linux !== undefined) {
    notes.push(el("span", { class: "linux note" }, " Linux: ", text(there(linux) ? linux : say("none"), { "data-witness": "linux" })));
  }
  if (!there(value)) {
    const silent = witness === "expected" ? spoken(say("nothing said")) : el("i", { class: "none" }, value === undefined ? "–" : say("none"));
    return [silent, ...notes];
  }
  return [valueOf(name, value, witness, header, context), ...notes];
}

/** What is said beside a value that isn't as the others are. */
function mark(witness, differs) {
  if (differs && differs.alone === witness) return el("b", { class: "alone note" }, `✗ ${say("stands alone")} `);
  return differs && witness === "captured" && !differs.alone ? el("b", { class: "alone note" }, `✗ ${say("differs")}`) : null;
}

function valueOf(name, value, witness, header, { hop, frame }) {
  const bare = name.split(".").at(-1);
  const shown = bare === "source" || bare === "destination" ? address(value)
    : bare === "type" && header.part === "icmp"
      ? el("span", {}, text(value), el("small", { class: "note" }, ` ${ICMP_TYPES[header.version]?.[value] ?? ""}`))
      : text(value, { class: "code" });
  return witness === "captured" ? toBytes(name, shown, hop, frame) : shown;
}

/** A captured value leads to its bytes. */
function toBytes(name, shown, hop, frame, label = null) {
  const parts = hop.captured.findLast((one, at) => at <= frame && one.bytes)?.parts ?? [];
  const index = parts.findIndex((part) => part.field === name && (label === null || part.label === label));
  if (index < 0) return shown;
  return el("button", { type: "button", class: "value", "data-part": index, "aria-pressed": "false",
    click: () => choosePart(index) }, shown);
}

/** A row a segment, in wire order; each witness marks the one that it holds to be active. */
function segmentRows(name, header, context) {
  const { differs, changed, minor } = stateOf(name, context);
  const lists = Object.fromEntries(context.shown.map((witness) =>
    [witness, segmentsOf(leftToo(context, witness, header.prefix), header.prefix)]));
  const longest = Math.max(...Object.values(lists).map((one) => one?.list.length ?? 0));
  const rows = Array.from({ length: longest }, (_, index) =>
    el("tr", { ...rowAttributes(name, { minor, differs, changed }), "data-segment": index },
      el("th", { scope: "row" }, `Segment List[${index}]`,
        index === 0 && changed ? el("small", { class: "was" }, el("b", {}, say("changed"))) : null,
        index === longest - 1 && longest > 1 ? el("small", {}, ` ${say("first to visit")}`) : null),
      context.shown.map((witness) => segmentCell(witness, index, lists[witness], name, context,
        mark(witness, Object.values(lists).some((one) => one && one.list[index] !== lists[witness]?.list[index]) && differs)))));
  if (Object.values(lists).some((one) => one && one.left >= one.list.length)) rows.push(notInList(context.shown.length));
  return rows;
}

/** An author may name a list and not what is left of it: then the prediction's is meant. */
function leftToo({ says }, witness, prefix) {
  const name = `${prefix}segments_left`;
  return { ...says[witness], [name]: says[witness][name] ?? says.predicted[name] };
}

function segmentCell(witness, index, segments, name, { hop, frame }, marked) {
  if (!segments || segments.list[index] === undefined) return el("td", { "data-witness": witness }, el("i", { class: "none" }, "–"), marked);
  const active = index === segments.left;
  const shown = address(segments.list[index]);
  return el("td", { class: active ? "active" : null, "data-witness": witness },
    active ? el("span", { class: "arrow note" }, el("span", { "aria-hidden": "true" }, "▶ "), `${say("active")} `) : null,
    witness === "captured" ? toBytes(name, shown, hop, frame, `Segment List[${index}]`) : shown, marked);
}

function notInList(columns) {
  return el("tr", {}, el("th", { scope: "row" }, say("Active segment")), el("td", { colspan: columns },
    say("not in the list: Segments Left points behind its end. In a reduced SRH (RFC 8986 section 5.2) the first segment is in the destination address alone.")));
}
