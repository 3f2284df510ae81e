"""The table of local SIDs of this network namespace: what `add`, `del` and the others do to it.

A SID is active when it stands in the map of SIDs and at no other moment: `add` puts it there last, `del`
takes it out first.  Everything else follows from that map, so that the next command mends one cut short.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address

from . import bpf, link, route, state
from .errors import Refused, SrconfError, ToolError
from .state import Counters, Interface, LocalSid

EMPTY = "Localsid table has no entries."


@dataclass(frozen=True, slots=True)
class Table:
    """The maps of the program in this namespace."""

    maps: dict[str, bpf.Map]

    def local_sids(self) -> tuple[LocalSid, ...]:
        """Every active SID, by address."""
        sids = self.maps[state.SIDS]
        keys = dict.fromkeys(sids.keys(state.SIDS_MAX))
        found = ((key, sids.get(key)) for key in sorted(keys))
        return tuple(state.unpack_local_sid(key, value[0]) for key, value in found if value)

    def counters(self, local_sid: LocalSid) -> Counters:
        """The counters of one SID."""
        return state.unpack_counters(self.maps[state.COUNTERS].get(local_sid.key) or ())

    def clear(self, local_sids: Iterable[LocalSid]) -> None:
        """Set counters to zero."""
        for local_sid in local_sids:
            self.maps[state.COUNTERS].put(local_sid.key, b"")

    def activate(self, local_sid: LocalSid) -> bool:
        """Make the entries of one SID stand, its own last; whether anything was missing."""
        returns, counters, sids = (self.maps[name] for name in (state.RETURNS, state.COUNTERS, state.SIDS))
        value = local_sid.pack()
        if (
            returns.get(local_sid.way_back) == (local_sid.key,)
            and counters.get(local_sid.key)
            and sids.get(local_sid.key) == (value,)
        ):
            return False
        returns.put(local_sid.way_back, local_sid.key)
        if not counters.get(local_sid.key):
            counters.put(local_sid.key, b"")
        sids.put(local_sid.key, value)
        return True

    def deactivate(self, local_sids: Iterable[LocalSid]) -> None:
        """Take SIDs out, and with them what they alone need in the maps."""
        for local_sid in local_sids:
            self.maps[state.SIDS].remove(local_sid.key)
        self.sweep()

    def sweep(self) -> bool:
        """Remove map entries that belong to no SID; whether there were any."""
        staying = self.local_sids()
        removed = self._keep(state.RETURNS, state.SIDS_MAX, {sid.way_back for sid in staying})
        removed |= self._keep(state.COUNTERS, state.SIDS_MAX, {sid.key for sid in staying})
        indexes = {sid.iif.index for sid in staying}
        flows = self.maps[state.FLOWS]
        for key in list(flows.keys(state.FLOWS_MAX * 2)):
            if state.FLOW_IIF.unpack_from(key)[0] not in indexes:
                flows.remove(key)
        return removed

    def _keep(self, name: str, limit: int, keys: set[bytes]) -> bool:
        surplus = set(self.maps[name].keys(limit)) - keys
        for key in surplus:
            self.maps[name].remove(key)
        return bool(surplus)


def find(links: tuple[Interface, ...]) -> Table | None:
    """The table, if the program is attached here."""
    there = link.attachments(links)
    return _open(there[0].program_id) if there else None


def standing(links: tuple[Interface, ...]) -> tuple[LocalSid, ...]:
    """Every active SID of this namespace."""
    table = find(links)
    return table.local_sids() if table else ()


def _open(program_id: int) -> Table:
    maps = bpf.program_maps(bpf.program_fd(program_id))
    sizes = {name: (item.key_size, item.value_size) for name, item in maps.items()}
    if any(sizes.get(name) != size for name, size in state.VALUE_SIZES.items()):
        raise ToolError("another version of srconf works here: `srconf localsid flush`, and add anew")
    return Table(maps)


def add(links: tuple[Interface, ...], local_sid: LocalSid) -> None:
    """Add a SID, or mend one that is there already; refuse what would fight with another."""
    there = link.attachments(links)
    active = _open(there[0].program_id).local_sids() if there else ()
    _refuse_clash(local_sid, active)
    others = tuple(other for other in active if other.sid != local_sid.sid)
    try:
        program_id, changed = link.attach_everywhere(links, there)
        table = _open(program_id)
        changed |= route.reconcile((*others, local_sid))
        changed |= table.activate(local_sid)
        changed |= table.sweep()
    except (SrconfError, OSError):
        settle(links)
        raise
    if not changed:
        raise Refused("Identical localsid already exists.")


def _refuse_clash(new: LocalSid, active: Iterable[LocalSid]) -> None:
    for old in active:
        if old.sid == new.sid:
            if _asked(old) != _asked(new):
                raise Refused(f"{new.sid} exists already with other parameters: delete it first")
            continue
        if old.way_back == new.way_back:
            raise Refused(
                f"{new.iif.name} is the return interface of {old.sid} already: "
                "one return interface serves one SID; name another, or delete that SID"
            )
        if old.next_hop == new.next_hop and old.oif == new.oif and old.mac != new.mac:
            raise Refused(f"{new.next_hop} on {new.oif.name} stands for another next hop, of {old.sid}")


def _asked(local_sid: LocalSid) -> tuple[object, ...]:
    """What the command line said: an interface that was made anew under its old name is the same one."""
    return local_sid.behavior, local_sid.next_hop, local_sid.mac, local_sid.oif.name, local_sid.iif.name


def delete(links: tuple[Interface, ...], sid: IPv6Address) -> None:
    """Delete one SID; also sweeps up what a command that was cut short left."""
    table = find(links)
    doomed = [local_sid for local_sid in table.local_sids() if local_sid.sid == sid] if table else []
    if table:
        table.deactivate(doomed)
    if not settle(links) and not doomed:
        raise Refused(f"Localsid not found: {sid}")


def flush(links: tuple[Interface, ...]) -> None:
    """Delete every SID, and all that commands that were cut short left, whatever the maps say."""
    detached = link.detach_everywhere(links)
    if not route.reconcile(()) and not detached:
        raise Refused(EMPTY)


def settle(links: tuple[Interface, ...]) -> bool:
    """Make routes and filters agree with the active SIDs; whether they did not."""
    active = standing(links)
    changed = route.reconcile(active)
    if not active:
        changed |= link.detach_everywhere(links)
    return changed
