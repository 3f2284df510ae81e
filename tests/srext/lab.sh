#!/usr/bin/env bash
# Runs in an emulated machine, as root: the node of an SR proxy is the machine itself, since SREXT hooks the first
# network namespace only, and all other nodes are namespaces in it. $1 is a folder with what the lab renders to.
set -euo pipefail
cd "$1"
release=$(uname -r)

# Modules are shared read-only; headers are where Debian has them.
mkdir -p /run/modules/upper /run/modules/work /run/nodes /var/lib/srv6lab
mount -t overlay -o "lowerdir=/lib/modules/$release,upperdir=/run/modules/upper,workdir=/run/modules/work" modules "/lib/modules/$release"
ln -s "/usr/src/linux-headers-$release" "/lib/modules/$release/build"
git config --system --add safe.directory '*'
[[ ! -d mirror ]] || git config --system "url.file://$PWD/mirror.insteadOf" https://github.com/netgroup/SRv6-net-prog

within() {
  local node=$1
  shift
  if [[ $node == "$PROXY" ]]; then
    "$@"
  else
    # shellcheck disable=SC2016  # the shell in the namespace expands it
    ip netns exec "$node" unshare --mount sh -c 'mount --bind "/run/nodes/$0" /var/lib/srv6lab && exec "$@"' "$node" "$@"
  fi
}

# shellcheck disable=SC1091  # the test writes it
. ./nodes
for node in $OTHERS; do
  ip netns add "$node"
  mkdir "/run/nodes/$node"
done
# Old kernels look for a new link's name where it is asked for, which is not where it goes to.
ip netns add wires
cables
ip netns del wires
# A wire has a carrier from the start, as a hypervisor's has.
for node in $OTHERS "$PROXY"; do
  # shellcheck disable=SC2016  # the shell in the node expands it
  within "$node" sh -c 'for nic in /sys/class/net/*; do ip link set dev "${nic##*/}" up 2>/dev/null || true; done'
done
for node in $OTHERS; do within "$node" bash "day0/$node.sh"; done
within "$PROXY" env SRV6LAB_SRCONF="$PWD/srconf" bash "day0/$PROXY.sh"
apply
mkdir /run/captures
trace() {
  local enter=(within "$1")
  [[ ! $2 ]] || enter=(ip netns exec "$2")
  "${enter[@]}" tcpdump -i "$3" -n -U --immediate-mode -s 0 -Z root -w "/run/captures/$4.pcap" 2>"/run/captures/$4.log" &
}
traces
for log in /run/captures/*.log; do
  for ((tries = 0; tries < 300; tries++)); do
    ! grep -q "listening on" "$log" || break
    sleep 0.1
  done
done
probe
sleep 1
# Each is a child of a shell that waits for it. Nothing else is traced in this machine.
for program in /proc/[0-9]*/comm; do
  [[ $(<"$program") != tcpdump ]] || kill -TERM "$(basename "$(dirname "$program")")"
done
wait
mkdir -p captures
cp /run/captures/*.pcap captures/
cp /var/lib/srv6lab/proxy proxy
srconf localsid show >shown
[[ ! -e /var/log/srext.log ]] || cp /var/log/srext.log srext.log
