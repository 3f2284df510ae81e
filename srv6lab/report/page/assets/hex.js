// The captured bytes; a part of the packet and its bytes light up together.

let chosenPart = null;
let bytesShown = null; // {bytes, owners, parts, cursor} of the packet that is shown

/** Which part each byte belongs to: the deepest, of those the shortest. */
function ownersOf(parts, count) {
  const owners = new Array(count).fill(-1);
  const order = parts.map((part, index) => ({ part, index }))
    .sort((a, b) => a.part.level - b.part.level || b.part.length - a.part.length);
  for (const { part, index } of order) {
    for (let at = part.at; at < part.at + part.length && at < count; at += 1) owners[at] = index;
  }
  return owners;
}

function kindOf(header) {
  if (/^IPv6/i.test(header)) return "ip6";
  if (/^(SRH|routing|segment)/i.test(header)) return "srh";
  if (/^(IPv4|IP$|Internet Protocol)/i.test(header)) return "ip4";
  if (/^(eth|frame)/i.test(header)) return "eth";
  return /^(data|payload)/i.test(header) ? "data" : "upper";
}

function hexView(hop, frame) {
  const { captured } = hop;
  const shown = captured.findLastIndex((one, index) => index <= frame && one.bytes);
  if (shown < 0) return el("div", { class: "hex" }, frames(hop, frame));
  const packet = captured[shown];
  const bytes = (packet.bytes ?? "").match(/../g) ?? [];
  const parts = packet.parts ?? [];
  const owners = ownersOf(parts, bytes.length);
  bytesShown = { bytes, owners, parts, cursor: 0 };
  const cells = el("div", { class: "bytes", tabindex: "0", role: "group", keydown: moveCursor, click: chooseByte,
    "aria-label": say("Bytes of the packet. Arrow keys move from byte to byte and name the field; Escape lets go.") },
  rowsOf(bytes, owners, parts));
  return [el("div", { class: "hex" }, el("h3", {}, say("Bytes")), frames(hop, frame),
    el("p", { class: "said", id: "part-said" }, say("Choose a field or a byte.")), cells), el("div", { class: "fields" }, parts.length ? partList(parts) : null,
  shown < frame ? el("p", {}, say("These are the bytes of packet {0}, whose fields are the same.", shown + 1)) : null,
  packet.cut ? el("p", {}, say("The first {0} of {1} bytes.", bytes.length, packet.length)) : null)];
}

function rowsOf(bytes, owners, parts) {
  const rows = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const row = bytes.slice(start, start + 16);
    rows.push(el("div", { class: "line" }, el("span", { class: "at" }, start.toString(16).padStart(4, "0")),
      [0, 8].map((half) => el("span", { class: "half" }, row.slice(half, half + 8).map((byte, offset) => el("span",
        { class: `byte ${kindAt(owners, parts, start + half + offset)}`, "data-at": start + half + offset }, byte)))),
      el("span", { class: "ascii", "aria-hidden": "true" }, row.map(printable).join(""))));
  }
  return rows;
}

function kindAt(owners, parts, at) {
  const part = parts[owners[at]];
  return part ? kindOf(part.header) : "";
}

function printable(byte) {
  const code = parseInt(byte, 16);
  return code > 31 && code < 127 ? String.fromCharCode(code) : "·";
}

/** The parts as a list with one tab stop; up and down choose. */
function partList(parts) {
  const groups = [];
  parts.forEach((part, index) => {
    if (!groups.length || groups.at(-1).header !== part.header || (part.level === 0 && index)) {
      groups.push({ header: part.header, members: [] });
    }
    groups.at(-1).members.push({ part, index });
  });
  return el("div", { class: "parts", role: "listbox", tabindex: "0", "aria-label": say("Fields of the packet"),
    keydown: moveInList }, groups.map(({ header, members }) =>
    el("div", { role: "group", class: kindOf(header), "aria-label": header }, members.map(partOption))));
}

function partOption({ part, index }) {
  return el("div", { role: "option", id: `part-${index}`, class: `level${Math.min(part.level, 4)}`, "data-part": index,
    "aria-selected": "false", click: () => choosePart(index) }, part.label,
  there(part.value) && part.value !== "" ? [": ", text(part.value, { class: "code" })] : null);
}

/** Lights a part up wherever it is shown; null lets go of it. */
function choosePart(index) {
  chosenPart = index === chosenPart ? null : index;
  const part = chosenPart === null ? null : bytesShown?.parts[chosenPart];
  for (const byte of document.querySelectorAll(".byte")) {
    const at = Number(byte.dataset.at);
    const lit = Boolean(part) && at >= part.at && at < part.at + part.length;
    byte.classList.toggle("lit", lit);
    byte.toggleAttribute("data-lit", lit);
  }
  for (const option of document.querySelectorAll(".parts [role=option]")) {
    option.setAttribute("aria-selected", String(Number(option.dataset.part) === chosenPart));
  }
  for (const value of document.querySelectorAll(".value")) {
    const same = part && (Number(value.dataset.part) === chosenPart || sameField(value.dataset.part, part));
    value.setAttribute("aria-pressed", String(Boolean(same)));
  }
  document.querySelector(".halves")?.classList.toggle("lit", Boolean(part));
  sayPart(part);
}

/** A value may stand for a field that has several parts, a list and its members. */
function sameField(index, part) {
  const mine = bytesShown.parts[Number(index)];
  return mine.field && mine.field === part.field && part.at <= mine.at && part.at + part.length >= mine.at + mine.length;
}

function sayPart(part) {
  const option = part ? document.getElementById(`part-${chosenPart}`) : null;
  document.querySelector(".parts")?.setAttribute("aria-activedescendant", option?.id ?? "");
  if (option) nearest(option.closest(".parts"), option);
  const said = document.getElementById("part-said");
  if (!said) return;
  said.textContent = part ? plain(`${part.header}, ${part.label}${there(part.value) && part.value !== "" ? `: ${part.value}` : ""}; ` +
    say("{0} from byte {1}", plural(part.length, "byte"), part.at)) : say("Choose a field or a byte.");
  if (part) announce(said.textContent);
}

/** Scrolls a box, and not the page, until something in it can be seen. */
function nearest(box, inside) {
  const top = inside.offsetTop; // the box is what it is measured from
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + inside.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = top + inside.offsetHeight - box.clientHeight;
  }
}

function chooseByte(event) {
  const byte = event.target.closest(".byte");
  if (!byte) return;
  bytesShown.cursor = Number(byte.dataset.at);
  const owner = bytesShown.owners[bytesShown.cursor];
  if (owner >= 0) choosePart(owner);
}

const MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -16, ArrowDown: 16 };

function moveCursor(event) {
  if (event.key === "Escape" && chosenPart !== null) choosePart(chosenPart);
  const step = MOVES[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  const { bytes, owners } = bytesShown;
  bytesShown.cursor = Math.min(bytes.length - 1, Math.max(0, bytesShown.cursor + step));
  for (const byte of event.currentTarget.querySelectorAll(".byte")) {
    byte.classList.toggle("cursor", Number(byte.dataset.at) === bytesShown.cursor);
  }
  const owner = owners[bytesShown.cursor];
  if (owner >= 0 && owner !== chosenPart) choosePart(owner);
}

function moveInList(event) {
  const last = bytesShown.parts.length - 1;
  const now = chosenPart ?? -1;
  const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: last }[event.key];
  if (event.key === "Escape" && chosenPart !== null) choosePart(chosenPart);
  if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  const next = Math.min(last, Math.max(0, to));
  if (next !== chosenPart) choosePart(next);
}
