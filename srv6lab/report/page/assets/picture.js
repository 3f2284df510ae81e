// The topology as a picture, the way of the walk on it, and the zoom.

const HEAD = 30; // height of the name's line on a card, then LINE each
const LINE = 15;
const PAD = 9;
const LABEL = 12;
const CHARACTER = 6.7;
// A drawing for each role, of 18 by 18 around its middle.
const ICONS = {
  host: "M-8,-7H8V4H-8ZM-4,8H4M0,4V8",
  router: "M-8,0A8,8 0 1,1 8,0A8,8 0 1,1 -8,0M-6,0H-1M-3,-2L-1,0L-3,2M6,0H1M3,-2L1,0L3,2M0,-2V-6M-2,-4L0,-6L2,-4M0,2V6" +
    "M-2,4L0,6L2,4",
  "sr-proxy": "M-8,-4H5M2,-7L5,-4L2,-1M8,4H-5M-2,1L-5,4L-2,7",
  service: "M0,-8L7,-5V0C7,4 4,7 0,8C-4,7 -7,4 -7,0V-5ZM-3,0L-1,3L4,-3",
};
const ROOM = { top: 30, right: 12, bottom: 22, left: 12 }; // around it all, for the packet's headers
const FRAME = { x: -ROOM.left, y: -ROOM.top, width: DOC.picture.width + ROOM.left + ROOM.right,
  height: DOC.picture.height + ROOM.top + ROOM.bottom };
let zoom = 1;
let layers = null; // the parts of the drawing that change

function pictureView() {
  layers = { way: draw("g", { class: "way" }), nics: draw("g", {}), packet: draw("g", { class: "packet" }) };
  layers.svg = draw("svg", { viewBox: `${FRAME.x} ${FRAME.y} ${FRAME.width} ${FRAME.height}`, role: "img",
    "aria-labelledby": "picture-title", class: SMALL ? "small" : null },
  draw("title", { id: "picture-title" }, pictureWords()), SMALL ? null : layers.way,
  draw("g", {}, DOC.picture.links.filter(({ ends }) => !POINTS.get(ends[0]?.point)?.within).map(drawnLink)),
  SMALL ? layers.way : null, // there are too many links to see it below them
  draw("g", {}, DOC.picture.nodes.map(drawnNode)), layers.nics, layers.packet);
  layers.box = el("div", { class: "picture", role: "region", tabindex: "0", "aria-label": say("Picture of the topology") },
    layers.svg);
  return el("div", { class: "drawing" }, zoomButtons(), layers.box);
}

const sizeWords = () => say("Topology: {0}, {1}", plural(DOC.picture.nodes.length, "node"), plural(DOC.picture.links.length, "link"));
const pictureWords = () => say("{0}. All of it stands in the tables under “Topology in words”.", sizeWords());

function zoomButtons() {
  return el("div", { class: "zoom paperless", role: "group", "aria-label": say("Size of the picture") },
    button("−", () => zoomTo(zoom / 1.25), { "aria-label": say("Smaller picture") }),
    button(say("Fit"), () => zoomTo(0)), button("+", () => zoomTo(zoom * 1.25), { "aria-label": say("Larger picture") }));
}

/** 0 is the whole picture, whatever becomes of its words. */
function zoomTo(factor) {
  zoom = factor;
  sizePicture();
  follow();
}

/** As large as there is room, but not so small that its words can't be read: then it scrolls. */
function sizePicture() {
  if (!layers) return;
  const fit = Math.min(layers.box.clientWidth / FRAME.width, (innerHeight * 0.42) / FRAME.height, 1.7);
  const letters = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const natural = Math.max(fit, (SMALL ? 0.45 : 0.74) * letters);
  if (zoom === 0) zoom = fit / natural;
  layers.svg.setAttribute("width", Math.floor(FRAME.width * natural * zoom));
  layers.svg.setAttribute("height", Math.floor(FRAME.height * natural * zoom));
}

function drawnLink(link) {
  return draw("g", { class: "link" }, draw("title", {}, linkWords(link)), link.ends.map(({ path }) => draw("path", { d: path })),
    link.bridge ? draw("circle", { cx: link.x, cy: link.y, r: 5 }) : null,
    SMALL ? [] : [link.ends.map((end) => endLabel(end, link.prefixes)), prefixLabel(link)]);
}

const linkWords = ({ name, prefixes: found, ends }) => [name, found.join(", "),
  ends.map(({ point, addresses }) => [point, ...addresses].join(" ")).join("; ")].filter(Boolean).join(": ");

/** What stands at a NIC: its name, and of its addresses the part that isn't the link's prefix. */
function endLabel({ nic, x, y, side, addresses }, prefixes_) {
  const hosts = addresses.map((one) => hostPart(one, prefixes_)).filter(Boolean);
  const name = short(nic, 12);
  if (side === "top" || side === "bottom") {
    return draw("text", { x: x + 8, y: y + (side === "top" ? -7 : 16), class: "nic" }, [name, ...hosts.slice(0, 1)].join(" "));
  }
  const [dx, is] = side === "left" ? [-7, "nic before"] : [7, "nic"];
  return [draw("text", { x: x + dx, y: y - 6, class: is }, name),
    ...hosts.slice(0, 2).map((host, index) => draw("text", { x: x + dx, y: y + 14 + LABEL * index, class: is }, host))];
}

/** `::1` of 2001:db8::1 in 2001:db8::/64, `.1` of 10.0.0.1 in 10.0.0.0/24; "" of an address in none of the prefixes. */
function hostPart(whole, prefixes_) {
  for (const prefix of prefixes_) {
    const [network, length] = prefix.split("/");
    if (network.endsWith("::") && whole.startsWith(network)) return whole.slice(network.length - 2);
    if (network.includes(".") && Number(length) >= 24 && whole.startsWith(network.replace(/\d+$/, ""))) {
      return whole.slice(whole.lastIndexOf("."));
    }
  }
  return "";
}

/** Beside a line that runs down, above a level one, on one that bends. */
function prefixLabel({ prefixes: found, ends, bridge, x, y }) {
  const upright = !bridge && ends.some(({ side }) => side === "top" || side === "bottom");
  const level = ends.every((end) => Math.abs(end.y - y) < 1);
  const first = level || bridge ? -7 - LABEL * (found.length - 1) : 4 - (LABEL * (found.length - 1)) / 2;
  return found.map((prefix, index) => draw("text", { x: x + (upright ? 8 : 0), y: y + first + LABEL * index,
    class: upright ? "prefix" : "prefix middle" }, short(prefix, 24)));
}

function drawnNode(node) {
  const left = node.x - node.width / 2;
  const top = node.y - node.height / 2;
  const middle = top + HEAD / 2 + 1;
  return draw("g", { class: `node ${Object.hasOwn(ICONS, node.role) ? node.role : ""}`, "data-node": node.name },
    draw("title", {}, nodeWords(node)),
    draw("rect", { x: left, y: top, width: node.width, height: node.height, rx: 7 }),
    draw("path", { class: "icon", transform: `translate(${left + PAD + 9} ${middle})`, d: own(ICONS, node.role) ?? ICONS.router }),
    draw("text", { class: "name", x: left + PAD + 24, y: middle + 5 }, node.name),
    (node.lines ?? []).map((line, index) => cardLine(line, left + PAD, top + HEAD + LINE * (index + 0.75))),
    node.services.filter(({ x }) => x !== undefined && x !== null).map(drawnService));
}

function cardLine({ kind, text: words }, x, y) {
  const indent = words.length - words.trimStart().length;
  const [sid, ...behavior] = kind === "sid" ? words.split(" ") : [words.trimStart()];
  return draw("text", { class: kind, x: x + indent * CHARACTER, y }, sid,
    behavior.length ? draw("tspan", { class: "behavior" }, ` ${behavior.join(" ")}`) : null);
}

function drawnService({ x, y, width, height, name, text: words }) {
  return draw("g", { class: "chip" }, draw("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 9 }),
    draw("text", { x, y: y + 4, class: "middle" }, words ?? name));
}

function nodeWords(node) {
  return [`${node.name}: ${node.role}`, node.locator ? `Locator ${node.locator}` : null,
    ...node.addresses, ...node.sids.map(({ sid, behavior, what }) => `SID ${sid} ${behavior}${what ? `, ${what}` : ""}`),
    ...node.services.map(({ name, netns }) => (netns ? say("service {0} in namespace {1}", name, netns) : say("service {0}", name))),
    ...node.policies].filter(Boolean).join("\n");
}

/** Draws the way of a walk and a mark at each of its NICs. */
function showWay(places) {
  const routes = [[]]; // a new one where there is no way on
  places.slice(1).forEach(({ hop }, index) => {
    const way = wayBetween(places[index].hop, hop);
    if (way.length) routes.at(-1).push(...way);
    else routes.push([]);
  });
  layers.way.replaceChildren(...routes.filter(({ length }) => length).map((route) =>
    draw("polyline", { points: route.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") })));
  layers.nics.replaceChildren(...places.map(nicMark));
  const on = new Set(places.map(({ hop }) => hop.node));
  for (const node of layers.svg.querySelectorAll("[data-node]")) node.classList.toggle("on", on.has(node.dataset.node));
}

function nicMark(place) {
  const { x, y } = pointAt(place.hop);
  const { status } = place.hop;
  const sign = status === "fail" ? "✗" : status === "inconclusive" ? "?" : "";
  return draw("g", { class: `mark ${own(STATUS_WORDS, status) ?? ""}`, "data-index": place.h, click: () => go(place, { push: true }) },
    draw("title", {}, `${placeWords(place.hop)}${status ? `: ${statusWord(status)}` : ""}`),
    draw("circle", { cx: x, cy: y, r: sign ? 9 : 5 }), sign ? draw("text", { x, y: y + 4, class: "middle" }, sign) : null);
}
