// The topology as a picture, the way of the walk on it, and the zoom.

const GEOMETRY = geometry();
const ROLE_SIGNS = { router: "router", host: "host", "sr-proxy": "proxy", service: "service" };
let zoom = 1;
let layers = null; // the parts of the drawing that change

function pictureView() {
  const { frame } = GEOMETRY;
  layers = { way: draw("g", { class: "way" }), nics: draw("g", { class: "nics" }), packet: draw("g", { class: "packet" }) };
  layers.svg = draw("svg", { viewBox: `${frame.x} ${frame.y} ${frame.width} ${frame.height}`, role: "img",
    "aria-labelledby": "picture-title", class: GEOMETRY.compact ? "compact" : null },
  draw("title", { id: "picture-title" }, pictureWords()),
  draw("g", {}, GEOMETRY.links.map(drawnLink)), layers.way, draw("g", {}, GEOMETRY.units.map(drawnUnit)),
  layers.nics, layers.packet);
  layers.box = el("div", { class: "picture", role: "region", tabindex: "0", "aria-label": "Picture of the topology" },
    layers.svg);
  return el("div", { class: "drawing" }, layers.box, zoomButtons());
}

const pictureWords = () => `Topology: ${plural(DOC.picture.nodes.length, "node")}, ` +
  `${plural(DOC.picture.links.length, "link")}. All of it stands in the tables under “Topology in words”.`;

function zoomButtons() {
  return el("div", { class: "zoom", role: "group", "aria-label": "Size of the picture" },
    button("−", () => zoomTo(zoom / 1.25), { "aria-label": "Smaller picture" }),
    button("Fit", () => zoomTo(0)), button("+", () => zoomTo(zoom * 1.25), { "aria-label": "Larger picture" }));
}

/** 0 is the whole picture, whatever becomes of its words. */
function zoomTo(factor) {
  zoom = factor;
  sizePicture();
  follow();
}

function sizePicture() {
  if (!layers) return;
  const { frame } = GEOMETRY;
  const fit = Math.min(layers.box.clientWidth / frame.width, 1.7);
  const tall = (innerHeight * 0.42) / frame.height;
  const readable = GEOMETRY.compact ? 0.5 : 0.85;
  const text = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const natural = Math.max(Math.min(fit, tall), Math.min(readable * text, 1.7));
  const scale = zoom === 0 ? Math.min(fit, tall) : natural * zoom;
  if (zoom === 0) zoom = scale / natural;
  layers.svg.setAttribute("width", Math.round(frame.width * scale));
  layers.svg.setAttribute("height", Math.round(frame.height * scale));
}

function drawnLink({ link, ends, hub, shared }) {
  const title = draw("title", {}, `${link.name}: ${link.prefixes.join(", ")}`);
  const lines = shared
    ? ends.map((end) => draw("line", { x1: end.x, y1: end.y, x2: hub.x, y2: hub.y, class: "link" }))
    : ends.length === 2
      ? [draw("line", { x1: ends[0].x, y1: ends[0].y, x2: ends[1].x, y2: ends[1].y, class: "link" })] : [];
  const words = GEOMETRY.compact ? [] : link.prefixes.length ? link.prefixes : [link.name];
  return draw("g", {}, title, lines, shared ? draw("circle", { cx: hub.x, cy: hub.y, r: 5, class: "hub" }) : null,
    prefixWords(words, hub, ends), GEOMETRY.compact ? [] : ends.map((end) => nicWords(end, hub)));
}

/** Prefixes stand over a level line and beside a steep one. */
function prefixWords(words, hub, ends) {
  const steep = ends.length > 1 && Math.abs(ends[0].y - ends[1].y) > Math.abs(ends[0].x - ends[1].x);
  return words.map((word, index) => draw("text", { x: hub.x + (steep ? 8 : 0),
    y: hub.y + (steep ? index * 14 + 4 : -8 - (words.length - 1 - index) * 14),
    class: `prefix${steep ? " beside" : ""}` }, short(word, 30)));
}

function nicWords({ nic, x, y, unit }, hub) {
  const length = Math.hypot(hub.x - x, hub.y - y) || 1;
  const steep = Math.abs(hub.y - y) > Math.abs(hub.x - x);
  const right = hub.x >= x;
  const below = hub.y >= y;
  return draw("text", steep
    ? { x: x - 8, y: y + (below ? 15 : -8), class: "nic before" }
    : { x: x + (right ? 8 : -8), y: y + 15, class: `nic${right ? " beside" : " before"}` },
  length < 24 || !unit ? "" : short(nic, 14));
}

function drawnUnit(unit) {
  const { node, lines, width, height } = unit;
  const top = unit.y - height / 2;
  return draw("g", { class: `node ${ROLE_SIGNS[node.role] ?? ""}`, "data-node": node.name },
    draw("title", {}, nodeWords(node)), (unit.boxes ?? []).map((box) => drawnSpace(unit, box)),
    draw("rect", { x: unit.x - width / 2, y: top, width, height, rx: node.role === "host" ? 3 : 12 }),
    lines.map(({ words, is }, index) => draw("text", { x: unit.x,
      y: top + 20 + index * LINE + (index ? 1 : 0), class: is }, words)));
}

function drawnSpace(unit, box) {
  const services = unit.node.services.filter(({ netns }) => netns === box.netns);
  return draw("g", { class: "space" },
    draw("rect", { x: box.x - box.width / 2, y: box.y - box.height / 2, width: box.width, height: box.height, rx: 6 }),
    draw("text", { x: box.x, y: box.y - 2, class: "service" }, `⚙ ${short(services.map(({ name }) => name).join(", "), 24)}`),
    draw("text", { x: box.x, y: box.y + 13, class: "role" }, `namespace ${short(box.netns, 20)}`));
}

function nodeWords(node) {
  return [`${node.name}: ${node.role}`, node.locator ? `locator ${node.locator}` : null,
    ...node.addresses, ...node.sids.map(({ sid, behavior, what }) => `SID ${sid} ${behavior}${what ? `, ${what}` : ""}`),
    ...node.services.map(({ name, netns }) => `service ${name}${netns ? ` in namespace ${netns}` : ""}`),
    ...node.policies].filter(Boolean).join("\n");
}

function pointAt(hop) {
  return GEOMETRY.points.get(hop.point) ?? GEOMETRY.byName.get(hop.node) ?? { x: 0, y: 0 };
}

/** The way from one hop to the next: along the link, or through the middle of the node. */
function wayBetween(a, b) {
  const [from, to] = [pointAt(a), pointAt(b)];
  if (a.direction === "out") return from.hub ? [from, from.hub, to] : [from, to];
  const middle = from.box && from.box === to.box ? from.box : GEOMETRY.byName.get(a.node) ?? from;
  return [from, middle, to];
}

/** Draws the way of a walk and a mark at each of its NICs. */
function showWay(places) {
  const route = places.slice(1).flatMap(({ hop }, index) => wayBetween(places[index].hop, hop));
  layers.way.replaceChildren(draw("polyline", { points: route.map(({ x, y }) => `${x},${y}`).join(" ") }));
  layers.nics.replaceChildren(...places.map(nicMark));
  for (const node of layers.svg.querySelectorAll("[data-node]")) {
    node.classList.toggle("on", places.some(({ hop }) => hop.node === node.dataset.node));
  }
}

function nicMark(place) {
  const { x, y } = pointAt(place.hop);
  const { status } = place.hop;
  const sign = status === "fail" ? "✗" : status === "inconclusive" ? "?" : "";
  return draw("g", { class: `mark ${STATUS_WORDS[status] ?? ""}`, "data-index": place.h, click: () => go(place, { push: true }) },
    draw("title", {}, `${placeWords(place.hop)}${status ? `: ${status}` : ""}`),
    draw("circle", { cx: x, cy: y, r: sign ? 9 : 5 }), sign ? draw("text", { x, y: y + 4 }, sign) : null);
}
