// Elements made through the DOM alone: what a document says becomes text or an attribute's value, never markup.

// What has no shape of its own or turns the line around: it is shown as its code point.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function plain(value) {
  return String(value).replace(UNSEEN, (char) =>
    `<U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : plain(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(plain(child)))));
  return element;
}

/** An HTML element; functions among the attributes are listeners, children that are no nodes become text. */
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function draw(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function text(value, attributes) {
  return el("bdi", attributes, value);
}

/** For those who listen: the eye has it from the shape. */
function spoken(...words) {
  return el("span", { class: "spoken" }, ...words);
}

const SIGNS = { pass: "✓", fail: "✗", inconclusive: "?" };
const STATUS_WORDS = { pass: "pass", fail: "fail", inconclusive: "inconclusive" }; // classes, too

function statusWord(status) {
  return own({ pass: say("pass"), fail: say("fail"), inconclusive: say("inconclusive") }, status) ?? status;
}

/** A status as a sign and a word; `short` shows the sign and says the word. */
function badge(status, short = false) {
  if (!status) return null;
  const sign = el("span", { "aria-hidden": "true" }, SIGNS[status] ?? "·");
  const word = statusWord(status);
  return el("span", { class: `badge ${own(STATUS_WORDS, status) ?? ""}${short ? " short" : ""}` },
    sign, short ? spoken(word) : ` ${word}`);
}

function button(label, action, attributes) {
  return el("button", { type: "button", click: action, ...attributes }, label);
}

/** A section with its heading, which is given in English; null when nothing is in it. */
function section(title, ...content) {
  const there = content.flat(Infinity).filter((part) => part !== null && part !== undefined);
  if (!there.length) return null;
  const id = `section-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return el("section", { class: "panel", "aria-labelledby": id }, el("h2", { id }, say(title)), there);
}

/** A table that scrolls by itself where it is too wide. `rows` hold cells: nodes or text; the first is the row's name. */
function table(caption, headings, rows, { keys, ...attributes } = {}) {
  if (!rows.length) return null;
  const head = el("tr", {}, headings.map((heading) => el("th", { scope: "col" }, heading)));
  const body = rows.map(({ cells, keys: own_, ...more }, row) => el("tr", { "data-row": row, ...more },
    cells.map((cell, index) => el(index ? "td" : "th", { scope: index ? null : "row", "data-key": (own_ ?? keys)?.[index] }, cell))));
  return scrolling(caption, el("table", attributes, el("caption", {}, caption),
    el("thead", {}, head), el("tbody", {}, body)));
}

/** Something that may be wider than the page: it can be scrolled by keyboard, so it has a name. */
function scrolling(name, ...content) {
  return el("div", { class: "scrolling", role: "region", "aria-label": name, tabindex: "0" }, ...content);
}
