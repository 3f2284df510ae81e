// Where everything stands: boxes that hold their words, spread until none lies on another; NICs on their edges.

const LINE = 15; // height of a line of small text
const NETNS_GAP = 30; // between a node and the namespace of its service
const MANY = 40; // nodes, from which on a box holds its name only
const wide = (words, each) => Math.ceil(words.length * each);

function linesOf(node, compact) {
  const lines = [{ words: node.name, is: "name" }];
  if (compact) return lines;
  lines.push({ words: node.role, is: "role" });
  if (node.locator) lines.push({ words: node.locator, is: "mono" });
  for (const { sid, behavior } of node.sids.slice(0, 4)) lines.push({ words: `${sid} ${behavior}`, is: "mono sid" });
  if (node.sids.length > 4) lines.push({ words: `and ${node.sids.length - 4} more SIDs`, is: "role" });
  for (const { name, engine } of node.services.filter(({ netns }) => !netns)) {
    lines.push({ words: `⚙ ${name}${engine && engine !== name ? ` (${engine})` : ""}`, is: "service" });
  }
  if (node.policies.length) lines.push({ words: `⇢ ${plural(node.policies.length, "policy").replace("policys", "policies")}`, is: "service" });
  return lines.map(({ words, is }) => ({ words: short(words, 34), is }));
}

const short = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

/** A node's box with the boxes of the namespaces in it; x and y are the middle of the box itself. */
function unitOf(node, compact) {
  const lines = linesOf(node, compact);
  const width = Math.max(56, ...lines.map(({ words, is }) => wide(words, is === "name" ? 9 : 6.8) + 20));
  const height = 14 + (lines.length - 1) * LINE + 18;
  const spaces = [...new Set(node.services.map(({ netns }) => netns).filter(Boolean))];
  return { node, lines, width, height, spaces, x: node.x, y: node.y, up: false,
    extra: spaces.length ? NETNS_GAP + 44 : 0 };
}

/** Grows the distances, along one axis or the other, until boxes have room between them. */
function spread(units, linked) {
  const scale = { x: 1, y: 1 };
  for (let round = 0; round < 80; round += 1) {
    const worst = tightest(units, linked, scale);
    if (!worst) break;
    scale[worst.axis] *= Math.min(worst.growth * 1.01, 4);
    if (scale.x > 12 || scale.y > 12) break;
  }
  for (const unit of units) {
    unit.x *= scale.x;
    unit.y *= scale.y;
  }
}

function tightest(units, linked, scale) {
  let worst = null;
  for (let i = 0; i < units.length; i += 1) {
    for (let j = i + 1; j < units.length; j += 1) {
      const near = linked.has(`${units[i].node.name} ${units[j].node.name}`);
      const growth = growthOf(units[i], units[j], near, scale);
      if (growth && (!worst || growth.growth > worst.growth)) worst = growth;
    }
  }
  return worst;
}

/** How much two boxes must part, along the axis where it costs less; null where they have room. */
function growthOf(a, b, near, scale) {
  const dx = Math.abs(a.x - b.x) * scale.x;
  const dy = Math.abs(a.y - b.y) * scale.y;
  const needX = (a.width + b.width) / 2 + (near ? 150 : 26);
  const needY = (a.height + b.height) / 2 + a.extra + b.extra + (near ? 64 : 26);
  if (dx >= needX || dy >= needY) return null;
  const x = dx > 1 ? needX / dx : Infinity;
  const y = dy > 1 ? needY / dy : Infinity;
  if (x === Infinity && y === Infinity) return null;
  return x <= y ? { axis: "x", growth: x } : { axis: "y", growth: y };
}

/** Where the line from the middle of a box to a place crosses its edge. */
function edge(unit, to) {
  const dx = to.x - unit.x;
  const dy = to.y - unit.y;
  if (!dx && !dy) return { x: unit.x, y: unit.y };
  const part = Math.min(unit.width / 2 / Math.abs(dx || 1e-9), unit.height / 2 / Math.abs(dy || 1e-9));
  return { x: unit.x + dx * part, y: unit.y + dy * part };
}

/** The whole picture as numbers: units by name, links with their ends, a place for every point. */
function geometry() {
  const compact = DOC.picture.nodes.length > MANY;
  const units = DOC.picture.nodes.map((node) => unitOf(node, compact));
  const byName = new Map(units.map((unit) => [unit.node.name, unit]));
  const linked = new Set(DOC.picture.links.flatMap(({ ends }) =>
    ends.flatMap((a) => ends.map((b) => `${a.node} ${b.node}`))));
  spread(units, linked);
  turnSpaces(units, byName);
  const points = new Map();
  const links = laidLinks(byName, points);
  inside(byName, points);
  return { compact, units, byName, points, links, frame: frameOf(units, links) };
}

/** The namespaces of a node stand on the side that its links don't need. */
function turnSpaces(units, byName) {
  for (const unit of units.filter(({ spaces }) => spaces.length)) {
    const others = DOC.picture.links.filter(({ ends }) => ends.some(({ node }) => node === unit.node.name))
      .flatMap(({ ends }) => ends.map(({ node }) => byName.get(node))).filter((other) => other && other !== unit);
    unit.up = others.reduce((sum, other) => sum + other.y - unit.y, 0) > 0;
    unit.boxes = unit.spaces.map((netns, index) => {
      const width = Math.max(wide(netns, 7.5) + 60, 120);
      const x = unit.x + (index - (unit.spaces.length - 1) / 2) * (width + 12);
      return { netns, width, height: 44, x, y: unit.y + (unit.up ? -1 : 1) * (unit.height / 2 + NETNS_GAP + 22) };
    });
  }
}

function laidLinks(byName, points) {
  const beside = new Map(); // how many links there are already between the same two nodes
  return DOC.picture.links.map((link) => {
    const ends = link.ends.filter(({ node }) => byName.has(node));
    const middles = ends.map(({ node }) => byName.get(node));
    const hub = { x: mean(middles.map(({ x }) => x)), y: mean(middles.map(({ y }) => y)) };
    const pair = ends.map(({ node }) => node).sort().join(" ");
    const turn = beside.get(pair) ?? 0;
    beside.set(pair, turn + 1);
    const shift = ends.length === 2 ? sideways(middles, turn) : { x: 0, y: 0 };
    const placed = ends.map((end, index) => {
      const unit = middles[index];
      const to = ends.length === 2 ? middles[1 - index] : hub;
      const at = edge(unit, { x: to.x + shift.x, y: to.y + shift.y });
      const place = { x: at.x + shift.x / 2, y: at.y + shift.y / 2, link, unit, hub: ends.length > 2 ? hub : null };
      points.set(end.point, place);
      return { ...end, ...place };
    });
    return { link, ends: placed, hub: ends.length === 2 ? middleOf(placed) : hub, shared: ends.length > 2 };
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
const middleOf = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** Links between the same nodes lie beside each other. */
function sideways([a, b], turn) {
  if (!turn || a === b) return { x: 0, y: 0 };
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const by = 26 * Math.ceil(turn / 2) * (turn % 2 ? 1 : -1) * (a.node.name < b.node.name ? 1 : -1);
  return { x: (-(b.y - a.y) / length) * by, y: ((b.x - a.x) / length) * by };
}

/** Points that no link has: the NICs between a node and the namespaces in it. */
function inside(byName, points) {
  const rows = new Map();
  for (const { hop } of PLACES) {
    const unit = byName.get(hop.node);
    if (!unit || points.has(hop.point)) continue;
    const key = `${hop.node}/${hop.netns ?? ""}`;
    if (!rows.has(key)) rows.set(key, { unit, netns: hop.netns, names: new Set() });
    rows.get(key).names.add(hop.point);
  }
  for (const { unit, netns, names } of rows.values()) {
    const box = unit.boxes?.find((one) => one.netns === netns) ?? unit;
    const outward = (box === unit) === unit.up ? -1 : 1;
    const side = unit.boxes ? outward : 1;
    [...names].sort().forEach((name, index, all) => points.set(name, {
      x: box.x + ((index + 1) / (all.length + 1) - 0.5) * Math.min(box.width, unit.width),
      y: box.y + (side * box.height) / 2, unit, box, within: true }));
  }
}

function frameOf(units, links) {
  const boxes = [...units, ...units.flatMap(({ boxes = [] }) => boxes)];
  const xs = [...boxes.flatMap(({ x, width }) => [x - width / 2, x + width / 2]), ...links.map(({ hub }) => hub.x)];
  const ys = [...boxes.flatMap(({ y, height }) => [y - height / 2, y + height / 2]), ...links.map(({ hub }) => hub.y)];
  const [left, top] = [Math.min(0, ...xs), Math.min(...ys)];
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  return { x: (xs.length ? low : left) - 30, y: (ys.length ? top : 0) - 44,
    width: Math.max(200, high - low + 60), height: Math.max(100, Math.max(...ys) - top + 74) };
}
