// Where the packet can be. Cards, NICs and links stand where the document puts them; ways are followed point by point.

const STEP = 6; // px between two points of a way
const SMALL = Boolean(DOC.picture.small); // cards hold names alone

const NODES = new Map(DOC.picture.nodes.map((node) => [node.name, node]));
const POINTS = new Map(); // point → where its NIC is, its node, the way from it to the middle of its link

const wide = (words, each) => Math.ceil(words.length * each);
const short = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

/** The points of an SVG path, in order. */
function followed(d) {
  const path = draw("path", { d });
  const length = path.getTotalLength();
  const count = Math.max(1, Math.round(length / STEP));
  return Array.from({ length: count + 1 }, (_, index) => {
    const { x, y } = path.getPointAtLength((length * index) / count);
    return { x, y };
  });
}

/** The two ends of a veth pair stand at a side of their service, the one that is in it on its chip. */
function besideService(link, end, index) {
  const netns = link.ends.find((one) => one.netns)?.netns;
  const chip = NODES.get(end.node)?.services.find((one) => one.netns === netns && there(one.x));
  if (!chip) return { x: end.x + (index ? 8 : -8), y: end.y };
  const way = end.x > chip.x ? 1 : -1;
  return { x: chip.x + way * (chip.width / 2 + (end.netns ? -9 : 5)), y: chip.y };
}

function layPoints() {
  for (const link of DOC.picture.links) {
    const within = new Set(link.ends.map(({ node }) => node)).size === 1 && link.ends.length > 1;
    link.ends.forEach((end, index) => {
      const { x, y } = within ? besideService(link, end, index) : end;
      POINTS.set(end.point, { x, y, side: within ? "within" : end.side, end, within, link });
    });
  }
}
layPoints();

/** Where a hop is; of a NIC that the picture hasn't, the middle of its node. */
function pointAt(hop) {
  return POINTS.get(hop.point) ?? NODES.get(hop.node) ?? { x: 0, y: 0 };
}

/** The way from one hop to the next: along the link, or through the node; none between hops that are no neighbors. */
function wayBetween(a, b) {
  const [from, to] = [pointAt(a), pointAt(b)];
  const here = ({ x, y }) => ({ x, y });
  if (from.within && to.within && a.node === b.node) return [here(from), here(to)];
  if (a.direction === "out" && from.end && to.end) {
    return from.link === to.link ? [...followed(from.end.path), ...followed(to.end.path).reverse()] : [];
  }
  return a.node === b.node ? [here(from), here(NODES.get(a.node) ?? from), here(to)] : [];
}
