// The packet: where it is, how it moves along a link, and playing the whole walk.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
let moving = 0; // the animation frame that is asked for
let playing = null; // the timer of the next step
let at = null; // where the packet is drawn

const SHORT_TITLES = { Ethernet: "Eth" };

function drawnPacket(hop) {
  const headers = headersOf(seen(hop));
  const lost = missing(hop);
  const sizes = headers.map(({ title }) => wide(SHORT_TITLES[title] ?? title, 7) + 8);
  let x = left_(sizes);
  const boxes = headers.map(({ kind, title }, index) => {
    const left = x;
    x += sizes[index];
    return draw("g", { class: kind }, draw("rect", { x: left, y: -10, width: sizes[index], height: 20 }),
      draw("text", { x: left + sizes[index] / 2, y: 4 }, SHORT_TITLES[title] ?? title));
  });
  const [dx, dy] = besideNode(hop, -left_(sizes));
  return [draw("circle", { r: 8, class: lost ? "lost" : "here" }),
    draw("g", { class: "label", "data-dx": dx, "data-dy": dy }, boxes,
      lost ? draw("text", { y: -16, class: "lostwords" }, say("not captured")) : null)];
}

const left_ = (sizes) => -sizes.reduce((sum, size) => sum + size, 0) / 2;

/** Where the headers are drawn, from the NIC on: over its link, not over the card. */
function besideNode(hop, half) {
  const { side } = pointAt(hop);
  return { top: [-half - 12, -16], bottom: [-half - 12, 18], left: [-half - 6, -28], right: [half + 6, -28], within: [0, 26] }[side]
    ?? [0, -26];
}

function putPacket({ x, y }) {
  at = { x, y };
  layers.packet.setAttribute("transform", `translate(${x} ${y})`);
  const label = layers.packet.querySelector(".label");
  if (!label) return;
  const { dx, dy } = label.dataset;
  const half = label.getBBox().width / 2; // it stays within the picture
  const shown = Math.max(FRAME.x + half, Math.min(FRAME.x + FRAME.width - half, x + Number(dx))) - x;
  label.setAttribute("transform", `translate(${shown} ${dy})`);
}

/** Shows the packet at a hop; it glides there from the hop before it or behind it. */
function movePacket(from, place) {
  cancelAnimationFrame(moving);
  layers.packet.replaceChildren(...drawnPacket(place.hop));
  for (const mark of layers.nics.children) mark.classList.toggle("now", Number(mark.dataset.index) === place.h);
  const beside = from?.hop && keyOf(from) === keyOf(place) && Math.abs(from.h - place.h) === 1;
  const end = pointAt(place.hop);
  const way = !beside ? [] : from.h < place.h ? wayBetween(from.hop, place.hop) : wayBetween(place.hop, from.hop).reverse();
  if (!way.length || STILL.matches) {
    putPacket(end);
    follow();
  } else glide(way, playing ? 900 : 350);
}

function glide(way, duration) {
  const lengths = way.slice(1).map((to, index) => Math.hypot(to.x - way[index].x, to.y - way[index].y));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  let begun = null;
  const frame = (now) => {
    begun ??= now;
    const part = Math.min(1, (now - begun) / duration);
    putPacket(along(way, lengths, whole * (part * part * (3 - 2 * part))));
    if (part < 1) moving = requestAnimationFrame(frame);
    else follow();
  };
  moving = requestAnimationFrame(frame);
}

function along(way, lengths, distance) {
  let rest = distance;
  for (let index = 0; index < lengths.length; index += 1) {
    if (rest <= lengths[index] && lengths[index] > 0) {
      const part = rest / lengths[index];
      return { x: way[index].x + (way[index + 1].x - way[index].x) * part,
        y: way[index].y + (way[index + 1].y - way[index].y) * part };
    }
    rest -= lengths[index];
  }
  return way.at(-1);
}

/** Scrolls the picture, and never the page, so that the packet can be seen. */
function follow() {
  if (!at || !layers) return;
  const { box, svg } = layers;
  const scale = Number(svg.getAttribute("width")) / FRAME.width;
  const [x, y] = [(at.x - FRAME.x) * scale, (at.y - FRAME.y) * scale];
  const margin = 70;
  if (x < box.scrollLeft + margin || x > box.scrollLeft + box.clientWidth - margin) {
    box.scrollLeft = x - box.clientWidth / 2;
  }
  if (y < box.scrollTop + margin || y > box.scrollTop + box.clientHeight - margin) {
    box.scrollTop = y - box.clientHeight / 2;
  }
}

function play() {
  if (!state.place?.hop) return;
  if (playing) {
    pause();
    return;
  }
  const places = placesOf(state.place);
  const again = state.place.h === places.length - 1;
  playing = setTimeout(tick, again ? 900 : 100);
  if (again) go(places[0], {});
  controlsState();
}

function tick() {
  const next = placesOf(state.place)[state.place.h + 1];
  if (!next) {
    pause();
    return;
  }
  playing = setTimeout(tick, next.hop.changed?.length > 2 || next.hop.status === "fail" ? 3200 : 2000);
  go(next, {});
}

function pause() {
  clearTimeout(playing);
  playing = null;
  controlsState();
}
