#!/usr/bin/env bash
# Day0 of router r3, lab first-packet. Safe to run again.
set -euo pipefail
trap 'echo "day0/r3.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  # Its name, which has no _ (RFC 1123, section 2.1). Vagrant would restart the network for it, NICs of links as well.
  echo r3 >/etc/hostname
  hostname=$(</etc/hostname)
  [[ $(</proc/sys/kernel/hostname) == "$hostname" ]] || echo "$hostname" >/proc/sys/kernel/hostname
  grep -q "[[:space:]]$hostname\$" /etc/hosts || echo "127.0.1.1 $hostname" >>/etc/hosts
  install_packages() {
    local package
    export DEBIAN_FRONTEND=noninteractive
    apt-get update || return
    for package; do
      install_package "$package" || return
    done
  }
  install_package() {
    apt-get install -y "$1" || install_backports "$1"
  }
  # The archive that this machine has, with its suite of backports.
  install_backports() {
    local suite archive
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016  # apt-get expands it
    archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sed -n "s/ $suite\$//p" | sort -u | tail -n 1)
    [[ $archive ]] || return
    echo "deb $archive $suite-backports main" >/etc/apt/sources.list.d/srv6lab-backports.list
    apt-get update && apt-get install -y -t "$suite-backports" "$1"
  }
  missing=()
  for tool in ip:iproute2 ping:iputils-ping python3:python3; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  if [[ ${missing[*]-} ]] && ! install_packages "${missing[@]}" >/var/log/srv6lab-packages.log 2>&1; then
    echo "day0/r3.sh: r3 lacks ${missing[*]//|/ or }, and its archive does not give them: connect it to a network, or use a box that has them" >&2
    exit 1
  fi
fi

# A NIC is known by its MAC: what is eth1 on one machine is enp0s8 on another.
find_nic() {
  local file mac
  for file in /sys/class/net/*/address; do
    read -r mac <"$file" || continue
    if [[ $mac == "$2" ]]; then
      file=${file%/address}
      printf -v "$1" %s "${file##*/}"
      return
    fi
  done
  echo "day0/r3.sh: r3 has no NIC with MAC $2 ($1)" >&2
  return 1
}
eth1=
find_nic eth1 02:4d:21:0c:eb:db
eth2=
find_nic eth2 02:8c:05:70:bd:e4
mkdir -p /var/lib/srv6lab
cat >/var/lib/srv6lab/nics <<EOF
eth1=$eth1
eth2=$eth2
EOF

# Its addresses are those of the file: a neighbor that advertises a prefix gives it none, and no default route.
for nic in default "$eth1" "$eth2"; do
  echo 0 >"/proc/sys/net/ipv6/conf/$nic/accept_ra"
done
# Forward both families and accept segment routing. rp_filter would drop what a SID decapsulates:
# its source isn't routed back over the NIC that it came in by.
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
for nic in all default lo "$eth1" "$eth2"; do
  echo 1 >"/proc/sys/net/ipv6/conf/$nic/seg6_enabled"
  echo 0 >"/proc/sys/net/ipv4/conf/$nic/rp_filter"
done

# Addresses, routes and segments in one go: a fork of ip for each would be most of the time.
ip -batch - <<EOF
link set dev lo up
link set dev $eth1 mtu 1500 up
address replace 10.0.1.2/24 dev $eth1
link set dev $eth2 mtu 2000 up
address replace 2001:23::2/64 dev $eth2
address replace fc00:3::3/64 dev lo
route replace ::/0 via 2001:23::1 dev $eth2
route replace fc00:3::a/128 encap seg6local action End.DX4 nh4 10.0.1.1 dev $eth1
route replace 10.0.0.0/24 encap seg6 mode encap segs fc00:1::a dev $eth2
EOF

# Ready once no address is tentative: until then the kernel doesn't answer for it.
for ((tries = 0; tries < 100; tries++)); do
  tentative=$(ip -6 -oneline address show tentative)
  [[ $tentative ]] || break
  sleep 0.1
done
if [[ $tentative ]]; then
  echo "day0/r3.sh: duplicate address detection does not end: $tentative" >&2
  exit 1
fi

