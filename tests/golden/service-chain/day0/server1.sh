#!/usr/bin/env bash
# Day0 of sr-proxy server1, lab service-chain. Safe to run again.
set -euo pipefail
trap 'echo "day0/server1.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  # Its name, which has no _ (RFC 1123, section 2.1). Vagrant would restart the network for it, NICs of links as well.
  echo server1 >/etc/hostname
  hostname=$(</etc/hostname)
  [[ $(</proc/sys/kernel/hostname) == "$hostname" ]] || echo "$hostname" >/proc/sys/kernel/hostname
  grep -q "[[:space:]]$hostname\$" /etc/hosts || echo "127.0.1.1 $hostname" >>/etc/hosts
  install_packages() {
    local package engines
    export DEBIAN_FRONTEND=noninteractive
    apt-get update || return
    for package; do
      case $package in
        snort | suricata | *"|"*) IFS="|" read -ra engines <<<"$package" && install_engine "${engines[@]}" || return ;;
        *) install_package "$package" || return ;;
      esac
    done
  }
  install_package() {
    apt-get install -y "$1" || install_backports "$1"
  }
  # The first that this archive has, else the last. Its package would run it on a NIC of its own choice, now and from each boot on.
  install_engine() {
    local engine policy=/usr/sbin/policy-rc.d code
    for engine; do
      ! apt-cache show "$engine" || break
    done
    [[ ! -e $policy ]] || policy=/dev/null
    # shellcheck disable=SC2016  # the script expands it
    printf '#!/bin/sh\n[ "$1" != %s ] || exit 101\n' "$engine" >"$policy"
    [[ $policy == /dev/null ]] || chmod 755 "$policy"
    install_package "$engine"
    code=$?
    [[ $policy == /dev/null ]] || rm "$policy"
    [[ ! -d /etc/systemd/system ]] || ln -sfn /dev/null "/etc/systemd/system/$engine.service"
    return "$code"
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
  for tool in ip:iproute2 ping:iputils-ping python3:python3 tcpdump:tcpdump nft:nftables iptables:iptables; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  command -v snort >/dev/null || command -v suricata >/dev/null || missing+=("snort|suricata")
  if [[ ${missing[*]-} ]] && ! install_packages "${missing[@]}" >/var/log/srv6lab-packages.log 2>&1; then
    echo "day0/server1.sh: server1 lacks ${missing[*]//|/ or }, and its archive does not give them: connect it to a network, or use a box that has them" >&2
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
  echo "day0/server1.sh: server1 has no NIC with MAC $2 ($1)" >&2
  return 1
}
eth1=
find_nic eth1 02:78:44:da:34:a3
mkdir -p /var/lib/srv6lab
cat >/var/lib/srv6lab/nics <<EOF
eth1=$eth1
EOF

# Its addresses are those of the file: a neighbor that advertises a prefix gives it none, and no default route.
for nic in default "$eth1"; do
  echo 0 >"/proc/sys/net/ipv6/conf/$nic/accept_ra"
done
# Forward both families and accept segment routing. rp_filter would drop what a SID decapsulates:
# its source isn't routed back over the NIC that it came in by.
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
for nic in all default lo "$eth1"; do
  echo 1 >"/proc/sys/net/ipv6/conf/$nic/seg6_enabled"
  echo 0 >"/proc/sys/net/ipv4/conf/$nic/rp_filter"
done

# Addresses, routes and segments in one go: a fork of ip for each would be most of the time.
ip -batch - <<EOF
link set dev lo up
link set dev $eth1 mtu 2000 up
address replace 2001:a::2/64 dev $eth1
address replace fc00:a::a/64 dev lo
route replace ::/0 via 2001:a::1 dev $eth1
EOF

# Ready once no address is tentative: until then the kernel doesn't answer for it.
for ((tries = 0; tries < 100; tries++)); do
  tentative=$(ip -6 -oneline address show tentative)
  [[ $tentative ]] || break
  sleep 0.1
done
if [[ $tentative ]]; then
  echo "day0/server1.sh: duplicate address detection does not end: $tentative" >&2
  exit 1
fi

# The namespace of service snort: what comes in by one port leaves by the other.
[[ -e /run/netns/snort ]] || ip netns add snort
[[ -e /sys/class/net/veth0 ]] ||
  ip link add veth0 address 02:90:60:22:15:49 mtu 2000 type veth \
    peer name veth0-snort address 02:59:85:08:54:96 mtu 2000 netns snort
[[ -e /sys/class/net/veth1 ]] ||
  ip link add veth1 address 02:ef:bd:ea:77:8e mtu 2000 type veth \
    peer name veth1-snort address 02:61:77:98:b6:ff mtu 2000 netns snort
# A new namespace starts with the settings of the machine's first one, so it is told its own.
# shellcheck disable=SC2016  # the shell in the namespace expands it
ip netns exec snort bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
  for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$file"; done'
ip -batch - <<EOF
link set dev veth0 up
address replace 192.168.1.1/24 dev veth0
link set dev veth1 up
address replace 192.168.2.1/24 dev veth1
EOF
ip -netns snort -batch - <<EOF
link set dev lo up
link set dev veth0-snort up
address replace 192.168.1.2/24 dev veth0-snort
link set dev veth1-snort up
address replace 192.168.2.2/24 dev veth1-snort
route replace default via 192.168.2.1 dev veth1-snort table 101
route replace default via 192.168.1.1 dev veth0-snort table 102
EOF
rules=$(ip -netns snort rule show)
[[ $rules == *"iif veth0-snort lookup"* ]] ||
  ip -netns snort rule add iif veth0-snort lookup 101
[[ $rules == *"iif veth1-snort lookup"* ]] ||
  ip -netns snort rule add iif veth1-snort lookup 102

# The sensor of service snort.
service=/var/lib/srv6lab/services/snort
enter=(ip netns exec snort)
mkdir -p "$service"
rules='# Without itype:8 the rule fires once a flow; with it, once an echo request.
alert icmp any any -> any any (msg:"ICMP detected"; itype:8; sid:1000; rev:1;)
'
running=
if [[ -s $service/pid ]] && kill -0 "$(<"$service/pid")" 2>/dev/null; then
  running=yes
  if [[ $(<"$service/rules") != "${rules%$'\n'}" ]]; then
    kill -KILL "$(<"$service/pid")"
    running=
  fi
fi
printf %s "$rules" >"$service/rules"
engine=none
for engine in snort suricata none; do
  ! command -v "$engine" >/dev/null || break
done
echo "$engine" >"$service/engine"
case ${running:-$engine} in
  yes) ;;
  snort)
rm -f "$service/pid" "$service/ready" "$service/log" "$service/failed"
# A rule's class is refused where nothing defines it.
class='.*[(; ]classtype: *([A-Za-z0-9_-]+) *[;)].*'
case $(snort -V 2>&1) in
  *"Version 3."*)
cat >"$service/snort.lua" <<EOF
alert_csv = {file = true, fields = 'timestamp gid sid msg proto src_addr dst_addr', separator = ','}
ips = {include = '$service/rules'}
classifications = {
$(sed -nE "s/$class/{name = '\\1', priority = 3, text = '\\1'},/p" "$service/rules" | sort -u)
}
EOF
    ln -sfn alert.csv "$service/alert_csv.txt"
    words=(-c "$service/snort.lua" -s 2018)
    ;;
  *)
cat >"$service/snort.conf" <<EOF
config checksum_mode: none
output alert_csv: alert.csv timestamp,sig_generator,sig_id,msg,proto,src,dst
$(sed -nE "s/$class/config classification: \\1,\\1,3/p" "$service/rules" | sort -u)
include $service/rules
EOF
    words=(-N -c "$service/snort.conf" -P 2018)
    ;;
esac
(
  echo "$BASHPID" >"$service/pid"
  exec "${enter[@]}" snort -k none -l "$service" -i veth0-snort \
    --daq afpacket --daq-mode passive --daq-var buffer_size_mb=16 "${words[@]}"
) </dev/null >"$service/log" 2>&1 &
    ;;
  suricata)
rm -f "$service/pid" "$service/ready" "$service/log" "$service/failed"
cat >"$service/suricata.yaml" <<EOF
%YAML 1.1
---
default-log-dir: $service
stats: {enabled: no}
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert]}
logging: {default-log-level: notice, outputs: [{file: {enabled: yes, filename: log}}]}
af-packet:
  - {interface: default, threads: 1, use-mmap: yes, tpacket-v3: no}
app-layer: {protocols: {}}
EOF
{
  "${enter[@]}" suricata -D -c "$service/suricata.yaml" -S "$service/rules" -k none -l "$service" --runmode single --init-errors-fatal \
    --pidfile "$service/pid" --af-packet=veth0-snort || touch "$service/failed"
} </dev/null >"$service/start" 2>&1 &
    ;;
  *) echo "service snort: no engine, since this machine has neither snort nor suricata" ;;
esac

# SREXT hooks the machine's first network namespace only. From 5.2 to 5.9 it doesn't compile, and after
# 6.1 its first command panics the kernel.
srext_serves() {
  local major minor
  IFS=.- read -r major minor _ <<<"$(uname -r)"
  if [[ $(readlink /proc/self/ns/pid) != "pid:[4026531836]" ]]; then
    why="this is a namespace, where SREXT has no hook"
  elif [[ -e /var/lib/srv6lab/srconf-since && $(</var/lib/srv6lab/srconf-since) == $(</proc/sys/kernel/random/boot_id) ]]; then
    why="srconf serves since this machine was booted"
  elif ((major > 6 || (major == 6 && minor > 1))); then
    why="SREXT panics kernels after 6.1, and this is $(uname -r)"
  elif ((major == 5 && minor >= 2 && minor <= 9)); then
    why="SREXT does not compile on kernels 5.2 to 5.9, and this is $(uname -r)"
  else
    return 0
  fi
  return 1
}

# Its generic netlink commands rely on the lenient parsing that kernels from 5.2 give on request only,
# and 6.1 wants to know from which command on a family is strict.
patch_srext() {
  local source=$1 major=$2 minor=$3 file
  while IFS= read -r file; do
    if ((major > 5 || (major == 5 && minor >= 2))); then
      sed -i 's/\.cmd\([[:space:]]*\)=/.validate = GENL_DONT_VALIDATE_STRICT, .cmd\1=/' "$file"
    fi
    if ((major > 6 || (major == 6 && minor >= 1))); then
      sed -i 's/struct[[:space:]]\{1,\}genl_family[[:space:]]\{1,\}[A-Za-z0-9_]\{1,\}[[:space:]]*=[[:space:]]*{/& .resv_start_op = 255,/' "$file"
    fi
  done < <(grep -rlE 'struct[[:space:]]+genl_(ops|family)[[:space:]]' --include='*.c' "$source")
}

# The newest commit there is, and the one that was run: what has another name is not built.
srext_commit=74345a35b1fa3119a302fe5b1c70e6bac5d30d85
fetch_srext() {
  local source=$1
  [[ -d $source/.git ]] || timeout 120 git clone https://github.com/netgroup/SRv6-net-prog "$source" || return
  git -C "$source" checkout --force --detach "$srext_commit" && git -C "$source" clean -fdxq
}

build_srext() {
  local source=$1 major minor
  IFS=.- read -r major minor _ <<<"$(uname -r)"
  patch_srext "$source/srext" "$major" "$minor" &&
    make -C "$source/srext/kernel" && make -C "$source/srext/tools" && make -C "$source/srext" install &&
    depmod -a && modprobe srext
}

# A box that has them needs no archive.
srext_tools() {
  local tool
  for tool in git make gcc; do
    command -v "$tool" >/dev/null || return
  done
  [[ -e /usr/include/stdio.h && -e /lib/modules/$(uname -r)/build/Makefile ]]
}

install_srext() {
  local source=/usr/local/src/SRv6-net-prog log=/var/log/srext.log
  why="SREXT needs git, make, gcc, libc6-dev and the headers of $(uname -r), which the archive does not give: see $log"
  { srext_tools || { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y git make gcc libc6-dev "linux-headers-$(uname -r)"; }; } >"$log" 2>&1 || return
  why="SREXT cannot be fetched: see $log"
  fetch_srext "$source" >>"$log" 2>&1 || return
  why="SREXT cannot be built or loaded: see $log"
  build_srext "$source" >>"$log" 2>&1 && why=
}

why=
if srext_serves && { [[ -d /sys/module/srext ]] || install_srext; }; then
  mechanism=SREXT
  rm -f /usr/local/sbin/srconf # ours, of a boot without a network; SREXT's is in /usr/bin
else
  mechanism="srconf on eBPF"
  cat /proc/sys/kernel/random/boot_id >/var/lib/srv6lab/srconf-since
  # Vagrant uploads as an ordinary user, and without the bit that makes a file a command.
  if [[ ${SRV6LAB_SRCONF-} ]]; then
    rm -rf /usr/local/lib/srconf
    cp -r "$SRV6LAB_SRCONF" /usr/local/lib/srconf
    chmod 755 /usr/local/lib/srconf/srconf
  fi
  if [[ ! -x /usr/local/lib/srconf/srconf ]]; then
    echo "day0/server1.sh: no SR proxy: $why, and /usr/local/lib/srconf is missing" >&2
    exit 1
  fi
  ln -sf /usr/local/lib/srconf/srconf /usr/local/sbin/srconf
fi
echo "$mechanism" >/var/lib/srv6lab/proxy
add=(srconf localsid add fc00:a::a1 end.ad4 ip 192.168.1.2 veth0 veth1)
if ! answer=$("${add[@]}" 2>&1) && [[ $answer != *"Identical localsid"* ]]; then
  srconf localsid del fc00:a::a1 >/dev/null 2>&1 || true
  "${add[@]}" >/dev/null
fi
shown=$(srconf localsid show)
[[ $shown == *fc00:a::a1* ]]
echo "SID fc00:a::a1 End.AD4: $mechanism serves${why:+ ($why)}"
# Sensor snort has started.
service=/var/lib/srv6lab/services/snort
engine=$(<"$service/engine")
for ((tries = 0; tries < 1000; tries++)); do
  [[ $engine != none && ! -e $service/ready && ! -e $service/failed ]] || break
  case $engine in
    snort)
      [[ ! -s $service/pid ]] || kill -0 "$(<"$service/pid")" 2>/dev/null || touch "$service/failed"
      # It has started when the kernel fills the ring of its packet socket; what it says itself comes before that.
      if [[ -s $service/pid ]]; then
        at=/proc/$(<"$service/pid")
        ring=$(grep -om1 'socket:\[[0-9]*' "$at/maps" 2>/dev/null) || true
        if [[ $ring ]] && grep -Eq " 1 +[0-9]+ +[0-9]+ +${ring#*[} *$" "$at/net/packet"; then touch "$service/ready"; fi
      fi
      ;;
    suricata)
      if [[ -e $service/log && $(<"$service/log") == *'ngine started'* ]]; then touch "$service/ready"; fi
      ;;
  esac
  [[ -e $service/ready ]] || sleep 0.02
done
if [[ $engine != none && ! -e $service/ready ]]; then
  echo "day0/server1.sh: service snort: $engine does not start:" >&2
  tail -n 5 "$service/start" "$service/log" >&2 || true
  exit 1
fi
why=
[[ $engine == none || $engine == snort ]] || command -v snort >/dev/null || why=", since this machine has no snort"
echo "service snort: $engine on veth0-snort$why"
