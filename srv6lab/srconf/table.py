"""The table of local SIDs of this network namespace: what `add`, `del` and the others do to it.

A SID is active when it stands in the map of SIDs and at no other moment: `add` puts it there last, `del`
takes it out first.  Everything else follows from that map, so that the next command mends one cut short.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address

from . import bpf, link, route, state
from .behaviors import IPV4
from .errors import Refused, SrconfError, ToolError
from .state import Counters, Interface, LocalSid

EMPTY = "Localsid table has no entries."


@dataclass(frozen=True)
class Table:
    """The maps of the program in this namespace."""

    maps: dict[str, bpf.Map]

    def local_sids(self) -> tuple[LocalSid, ...]:
        """Every active SID, by address."""
        sids, chains = self.maps[state.SIDS], self.maps[state.CHAINS]
        keys = dict.fromkeys(sids.keys(state.SIDS_MAX))
        found = ((key, sids.get(key), chains.get(key)) for key in sorted(keys))
        return tuple(
            state.unpack_local_sid(key, value[0], headers[0] if headers else None)
            for key, value, headers in found
            if value
        )

    def counters(self, local_sid: LocalSid) -> Counters:
        """The counters of one SID."""
        return state.unpack_counters(self.maps[state.SIDS].get(local_sid.key) or ())

    def clear(self, local_sids: Iterable[LocalSid]) -> None:
        """Set counters to zero."""
        for local_sid in local_sids:
            self.maps[state.SIDS].put(local_sid.key, local_sid.pack())

    def activate(self, local_sid: LocalSid) -> bool:
        """Make the entries of one SID stand, its own last; whether anything was missing."""
        entries = []
        if headers := local_sid.pack_chain():
            entries.append((state.CHAINS, local_sid.key, headers))
        if way_back := local_sid.way_back:
            entries.append((state.RETURNS, way_back, local_sid.key))
        sids, packed = self.maps[state.SIDS], local_sid.pack()
        there = sids.get(local_sid.key) or ()
        stands = there and all(copy.startswith(packed) for copy in there)
        if stands and all(self.maps[name].get(key) == (value,) for name, key, value in entries):
            return False
        for name, key, value in entries:
            self.maps[name].put(key, value)
        sids.put(local_sid.key, *(packed + copy[len(packed) :] for copy in there or (b"",)))
        return True

    def deactivate(self, local_sids: Iterable[LocalSid]) -> None:
        """Take SIDs out, and with them what they alone need in the maps."""
        for local_sid in local_sids:
            self.maps[state.SIDS].remove(local_sid.key)
        self.sweep()

    def sweep(self) -> bool:
        """Remove map entries that belong to no SID; whether there were any."""
        staying = self.local_sids()
        ways = {sid.way_back for sid in staying if sid.way_back and sid.iif and sid.iif.current_name}
        keys = {sid.key for sid in staying}
        removed = self._keep(state.RETURNS, ways)
        self._keep(state.CHAINS, keys)
        indexes = {state.WAY_BACK.unpack(way) for way in ways}
        flows = self.maps[state.FLOWS]
        for key in list(flows.keys(state.FLOWS_MAX * 2)):
            if state.FLOW_WAY.unpack_from(key) not in indexes:
                flows.remove(key)
        return removed

    def _keep(self, name: str, keys: set[bytes]) -> bool:
        surplus = set(self.maps[name].keys(state.SIDS_MAX)) - keys
        for key in surplus:
            self.maps[name].remove(key)
        return bool(surplus)


def find() -> Table | None:
    """The table, if the program is attached here."""
    there = link.attachments()
    with suppress(FileNotFoundError):  # its last interface is gone meanwhile
        return _open(there[0].program_id) if there else None
    return None


def standing() -> tuple[LocalSid, ...]:
    """Every active SID of this namespace."""
    table = find()
    return table.local_sids() if table else ()


def _open(program_id: int) -> Table:
    maps = bpf.program_maps(bpf.program(program_id))
    sizes = {name: (item.key_size, item.value_size) for name, item in maps.items()}
    if any(sizes.get(name) != size for name, size in state.VALUE_SIZES.items()):
        raise ToolError("another version of srconf works here: `srconf localsid flush`, and add anew")
    return Table(maps)


def add(links: tuple[Interface, ...], local_sid: LocalSid) -> None:
    """Add a SID, or mend one that is there already; refuse what would fight with another."""
    there = link.attachments()
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
        settle()
        raise
    if not changed:
        raise Refused("Identical localsid already exists.")


def _refuse_clash(new: LocalSid, active: Iterable[LocalSid]) -> None:
    for old in active:
        if old.sid == new.sid:
            if _asked(old) != _asked(new):
                raise Refused(f"{new.sid} exists already with other parameters: delete it first")
            continue
        if new.iif and old.way_back == new.way_back:
            raise Refused(
                f"{new.iif.name} is the return interface of {old.sid} already: one return interface serves "
                f"one SID for IPv{4 if new.behavior.inner == IPV4 else 6}; name another, or delete that SID"
            )
        if old.target and old.target == new.target and old.oif == new.oif and old.mac != new.mac:
            raise Refused(f"{new.target} on {new.oif.name} stands for another next hop, of {old.sid}")


def _asked(local_sid: LocalSid) -> tuple[object, ...]:
    """What the command line said: an interface that was made anew under its old name is the same one."""
    oif = local_sid.oif.name if local_sid.behavior.interfaces else None
    iif = local_sid.iif.name if local_sid.iif else None
    return local_sid.behavior, local_sid.next_hop, local_sid.mac, oif, iif, local_sid.chain


def delete(sid: IPv6Address) -> None:
    """Delete one SID; also sweeps up what a command that was cut short left."""
    table = find()
    doomed = [local_sid for local_sid in table.local_sids() if local_sid.sid == sid] if table else []
    if table:
        table.deactivate(doomed)
    if not settle() and not doomed:
        raise Refused(f"Localsid not found: {sid}")


def flush() -> None:
    """Delete every SID, and all that commands that were cut short left, whatever the maps say."""
    with suppress(ToolError):  # of another version
        if table := find():
            table.deactivate(table.local_sids())
    detached = link.detach_everywhere()
    if not route.reconcile(()) and not detached:
        raise Refused(EMPTY)


def settle() -> bool:
    """Make routes and filters agree with the active SIDs; whether they did not."""
    active = standing()
    changed = route.reconcile(active)
    if not active:
        changed |= link.detach_everywhere()
    return changed


def keep_up() -> bool:
    """Serve the interfaces that came since; whether there still is a SID to serve."""
    table = find()
    if not table or not table.local_sids():
        return False
    link.attach_everywhere(link.interfaces(), link.attachments())
    table.sweep()
    return True
