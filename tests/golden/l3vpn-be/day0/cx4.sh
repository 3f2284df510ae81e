#!/usr/bin/env bash
# Day0 of router cx4, lab l3vpn-be. Safe to run again.
set -euo pipefail
trap 'echo "day0/cx4.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  # Its name, which has no _ (RFC 1123, section 2.1). Vagrant would restart the network for it, NICs of links as well.
  echo cx4 >/etc/hostname
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
    echo "day0/cx4.sh: cx4 lacks ${missing[*]//|/ or }, and its archive does not give them: connect it to a network, or use a box that has them" >&2
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
  echo "day0/cx4.sh: cx4 has no NIC with MAC $2 ($1)" >&2
  return 1
}
eth1=
find_nic eth1 02:94:c1:f5:e7:a0
eth2=
find_nic eth2 02:77:a6:52:ae:43
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
# Routes of SIDs, and policies to what routing protocols bring, need a device that is never down.
if ! ip link show dev sr0 >/dev/null 2>&1; then
  ip link add sr0 type dummy 2>/dev/null || ip link add sr0 type bridge
fi
ip link set dev sr0 up

# Addresses, routes and segments in one go: a fork of ip for each would be most of the time.
ip -batch - <<EOF
link set dev lo up
link set dev $eth1 mtu 2000 up
address replace 2003::4/64 dev $eth1
link set dev $eth2 mtu 2000 up
address replace 2004::4/64 dev $eth2
address replace 4444::4444/128 dev lo
route replace 3004:1:1:1::1111/128 encap seg6local action End dev $eth1
EOF

# Ready once no address is tentative: until then the kernel doesn't answer for it.
for ((tries = 0; tries < 100; tries++)); do
  tentative=$(ip -6 -oneline address show tentative)
  [[ $tentative ]] || break
  sleep 0.1
done
if [[ $tentative ]]; then
  echo "day0/cx4.sh: duplicate address detection does not end: $tentative" >&2
  exit 1
fi

frr=/usr/lib/frr
needed=10.6
version=''
if [[ -x $frr/bgpd && $("$frr/bgpd" --version) =~ ^bgpd\ version\ (([0-9]+)\.([0-9]+)[0-9.]*) ]]; then
  version=${BASH_REMATCH[1]} number=$((BASH_REMATCH[2] * 1000 + BASH_REMATCH[3]))
fi
if [[ ! $version ]] || ((number < ${needed%.*} * 1000 + ${needed#*.})); then
  echo "day0/cx4.sh: cx4 needs FRR 10.6 or newer, and has ${version:-none}" >&2
  exit 1
fi
if [[ -d /run/systemd/system ]]; then
  systemctl disable --now frr
fi


mkdir -p /etc/frr /run/frr
rm -f /etc/frr/{frr,vtysh}.conf  # those of the package may be nobody's to write to
cat >/etc/frr/frr.conf <<EOF
hostname cx4
log file /run/frr/frr.log informational
ip router-id 4.4.4.4
!
segment-routing
 srv6
  encapsulation
   source-address 4444::4444
  exit
  locators
   locator main
    prefix 3004:1:1:1::/64 block-len 40 node-len 24 func-bits 32
   exit
  exit
 exit
exit
!
! A packet to a function that nobody has ends here, and doesn't circle.
ipv6 route 3004:1:1:1::/64 blackhole
!
interface lo
 ipv6 router isis 10
 isis passive
exit
!
interface $eth2
 ipv6 router isis 10
 isis circuit-type level-2-only
 isis metric 10
 isis hello-interval 1
 isis hello-multiplier 10
 isis csnp-interval 1
exit
!
! Whatever isn't YANG's commits what is above: IS-IS then begins with these intervals, and a LAN has its DIS after 2 s, not 6.
no debug isis bfd
!
router isis 10
 net 49.0000.0000.0004.00
 is-type level-2-only
 metric-style wide
 lsp-gen-interval 1
 spf-delay-ietf init-delay 50 short-delay 100 long-delay 200 holddown 1000 time-to-learn 500
 segment-routing srv6
  locator main
  interface sr0
 exit
 redistribute ipv6 bgp level-2
exit
!
router bgp 200
 bgp router-id 4.4.4.4
 coalesce-time 10
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 neighbor 6666::6666 remote-as 200
 neighbor 6666::6666 update-source 4444::4444
 neighbor 6666::6666 timers 3 10
 neighbor 6666::6666 timers connect 1
 neighbor 6666::6666 advertisement-interval 0
 neighbor 6666::6666 capability extended-nexthop
 neighbor 2003::3 remote-as 100
 neighbor 2003::3 timers 3 10
 neighbor 2003::3 timers connect 1
 neighbor 2003::3 advertisement-interval 0
 neighbor 2003::3 capability extended-nexthop
 address-family ipv4 unicast
 exit-address-family
 address-family ipv6 unicast
  network 3004:1:1:1::/64
  network 3006:1:1:1::/64
  neighbor 2003::3 activate
 exit-address-family
 address-family ipv4 vpn
  neighbor 6666::6666 activate
  neighbor 6666::6666 next-hop-self
  neighbor 2003::3 activate
 exit-address-family
exit
!
EOF
touch /etc/frr/vtysh.conf
chown -R frr:frr /etc/frr /run/frr

start() {
  local daemon=$1 file=/run/frr/$1 options=()
  if [[ -e $file.pid ]] && kill -0 "$(<"$file.pid")" 2>/dev/null; then
    return
  fi
  if [[ $daemon == @(mgmtd|zebra) && -n $(ls -A /run/netns 2>/dev/null) ]]; then
    options=(-w)  # VRFs are network namespaces
  fi
  "$frr/$daemon" -d "${options[@]}" -u frr -g frr >"$file.out" 2>&1 || { cat "$file.out" >&2; return 1; }
}
# Protocols ask zebra when they start, and nothing of each other.
configure() {
  local daemon pid protocols=()
  for daemon in mgmtd zebra staticd isisd bgpd; do
    if [[ $daemon == @(mgmtd|zebra) ]]; then
      start "$daemon"
    else
      start "$daemon" &
      protocols+=($!)
    fi
  done
  for pid in "${protocols[@]}"; do
    wait "$pid"
  done
  if ! said=$(vtysh -b 2>&1); then
    echo "$said" >&2
    return 1
  fi
  # What it made of that, to be held against what it runs later.
  said=$(vtysh -c 'show running-config no-header')
}
stop() {
  local file
  for file in /run/frr/*.pid; do
    kill "$(<"$file")" 2>/dev/null || true
  done
  for file in /run/frr/*.pid; do
    for ((tries = 0; tries < 50; tries++)); do
      kill -0 "$(<"$file")" 2>/dev/null || break
      sleep 0.1
    done
  done
}
running=/var/lib/srv6lab/frr.running
configure
if [[ -e $running && $said != "$(<$running)" ]]; then
  # `vtysh -b` adds lines and takes none away: what somebody has changed goes with the daemons that know it.
  stop
  configure
fi
echo "$said" >$running
