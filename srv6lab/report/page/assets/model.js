// The document, what is asked of it, and the address of every hop.

/** What is said often stands once, among `shared`; each of those speaks only of earlier ones. */
function unpacked(packed) {
  if (!packed.shared) return packed;
  const shared = [];
  const whole = (value) => {
    if (Array.isArray(value)) return value.map(whole);
    if (value === null || typeof value !== "object") return value;
    if (Object.hasOwn(value, "$")) return shared[value.$];
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, whole(part)]));
  };
  for (const value of packed.shared) shared.push(whole(value));
  return whole(packed.document);
}

const DOC = unpacked(JSON.parse(document.getElementById("walk").textContent));
const PREDICTION = DOC.kind === "prediction";
const NONE = "none";

const there = (value) => value !== null && value !== undefined && value !== NONE;
const own = (object, name) => (object && Object.hasOwn(object, name) ? object[name] : undefined);

/** What an address is, in a few words: a SID's behavior and node, or whose address it is. */
function wordsFor(address) {
  const sid = own(DOC.sids, address);
  if (sid) return [sid.behavior, sid.node].filter(Boolean).join(", ");
  return own(DOC.names, address) ?? "";
}

/** An address with its words behind it; `tight` keeps them for the pointer and for those who listen. */
function address(value, tight = false) {
  const words = wordsFor(value);
  if (!words) return text(value, { class: "code" });
  const what = own(DOC.sids, value)?.what;
  const title = [words, what].filter(Boolean).join(": ");
  return el("span", { class: "address", title },
    text(value, { class: "code" }), tight ? spoken(` (${words})`) : el("small", { class: "note" }, ` ${words}`));
}

/** The fields of a packet as it was seen: captured if it was, otherwise as Linux is predicted to write it. */
function seen(hop, frame = 0) {
  if (!hop) return {};
  return hop.captured?.[frame]?.fields ?? hop.captured?.[0]?.fields ?? { ...hop.predicted, ...hop.linux };
}

function segmentsOf(fields, prefix = "") {
  const list = fields[`${prefix}segment_list`];
  if (!there(list)) return null;
  return { list: list.split(", "), left: Number(fields[`${prefix}segments_left`]) };
}

/** Every hop in order, with where it stands. */
const PLACES = DOC.exercises.flatMap((exercise, x) =>
  exercise.probes.flatMap((probe, p) =>
    probe.walks.flatMap((walk, w) =>
      walk.hops.map((hop, h) => ({ x, p, w, h, exercise, probe, walk, hop })))));

/** What has no packet to follow has a place too: a walk that ends before the first NIC, an exercise without probes. */
const BLANKS = DOC.exercises.flatMap((exercise, x) => {
  const walks = exercise.probes.flatMap((probe, p) => probe.walks.map((walk, w) =>
    ({ x, p, w, h: -1, exercise, probe, walk, hop: null })));
  const alone = { x, p: null, w: null, h: -1, exercise, probe: null, walk: null, hop: null };
  return walks.length ? walks.filter(({ walk }) => !walk.hops.length) : [alone];
});

const JUDGED = new Set(PLACES.filter(({ exercise }) => exercise.status).map(({ hop }) => hop));

/** Was the exercise run, and yet nothing is captured here? */
const missing = (hop) => JUDGED.has(hop) && !hop.captured?.length;

const ADDRESSES = new Map(); // hash → place

function encoded(...parts) {
  return parts.map((part) => encodeURIComponent(part).replace(/%3A/gi, ":").replace(/%2F/gi, "/")).join("/");
}

/** EXERCISE/PROBE/POINT is a hop; where a probe comes by a point again, its turn is behind it. */
function nameAll() {
  const turns = new Map();
  for (const place of PLACES) {
    const base = encoded(place.exercise.name, place.probe.id, place.hop.point);
    const turn = (turns.get(base) ?? 0) + 1;
    turns.set(base, turn);
    place.hash = turn === 1 ? base : `${base}/${turn}`;
  }
  const offer = (hash, place) => ADDRESSES.has(hash) || ADDRESSES.set(hash, place);
  for (const place of PLACES) offer(place.hash, place);
  for (const place of PLACES) offer(encoded(place.exercise.name, place.hop.id), place);
  for (const place of PLACES) offer(encoded(place.exercise.name, place.probe.id), place);
  for (const place of PLACES) offer(encoded(place.exercise.name), place);
  for (const blank of BLANKS) {
    const { exercise, probe, walk, w } = blank;
    blank.hash = walk ? encoded(exercise.name, probe.id, walk.leg ?? "", String(w)) : encoded(exercise.name);
    offer(blank.hash, blank);
    if (probe) offer(encoded(exercise.name, probe.id), blank);
    offer(encoded(exercise.name), blank);
  }
  offerShort(offer);
}

/** PROBE/POINT and PROBE/there/N too, where only one exercise has such a probe. */
function offerShort(offer) {
  const owners = new Map();
  for (const { exercise, probe } of PLACES) {
    owners.set(probe.id, (owners.get(probe.id) ?? new Set()).add(exercise.name));
  }
  for (const place of PLACES.filter(({ probe }) => owners.get(probe.id).size === 1)) {
    offer(place.hash.slice(encoded(place.exercise.name).length + 1), place);
    offer(encoded(place.hop.id), place);
    offer(encoded(place.probe.id), place);
  }
}
nameAll();

function placeOf(hash) {
  let asked = hash.replace(/^#/, "");
  try {
    asked = encoded(decodeURIComponent(asked));
  } catch {
    // not an address of ours: it is looked up as it stands
  }
  return ADDRESSES.get(asked) ?? null;
}

const keyOf = ({ x, p, w }) => `${x} ${p} ${w}`;
const BY_WALK = new Map();
for (const place of PLACES) {
  const key = keyOf(place);
  if (!BY_WALK.has(key)) BY_WALK.set(key, []);
  BY_WALK.get(key).push(place);
}
const placesOf = (place) => BY_WALK.get(keyOf(place)) ?? [];

/** Where the reader most likely wants to begin: what differs, or the first hop. */
function firstPlace() {
  return PLACES.find(({ hop }) => hop.status === "fail" && hop.differs?.length)
    ?? PLACES.find(({ hop }) => hop.status === "fail") ?? PLACES[0] ?? BLANKS[0];
}

/** The hop of an exercise that an item of its verdict is about. */
function placeOfItem(exercise, item) {
  return PLACES.find((place) => place.exercise === exercise && place.hop.point === item.point
    && (!item.direction || place.hop.direction === item.direction)
    && (!item.probe || place.probe.id === item.probe)) ?? null;
}

const placeWords = (hop) => `${hop.point} ${hop.direction}`;
