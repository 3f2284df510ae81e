#!/usr/bin/env bash
# Day0 of service server2, lab service-chain. Safe to run again.
set -euo pipefail
trap 'echo "day0/server2.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  # Its name, which has no _ (RFC 1123, section 2.1). Vagrant would restart the network for it, NICs of links as well.
  echo server2 >/etc/hostname
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
    echo "day0/server2.sh: server2 lacks ${missing[*]//|/ or }, and its archive does not give them: connect it to a network, or use a box that has them" >&2
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
  echo "day0/server2.sh: server2 has no NIC with MAC $2 ($1)" >&2
  return 1
}
eth1=
find_nic eth1 02:9e:66:0c:82:cd
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
address replace 2001:b::2/64 dev $eth1
address replace fc00:b::b/64 dev lo
route replace ::/0 via 2001:b::1 dev $eth1
route replace fc00:b::a1/128 encap seg6local action End dev $eth1
EOF

# Ready once no address is tentative: until then the kernel doesn't answer for it.
for ((tries = 0; tries < 100; tries++)); do
  tentative=$(ip -6 -oneline address show tentative)
  [[ $tentative ]] || break
  sleep 0.1
done
if [[ $tentative ]]; then
  echo "day0/server2.sh: duplicate address detection does not end: $tentative" >&2
  exit 1
fi

# The sensor of service ids.
service=/var/lib/srv6lab/services/ids
enter=()
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
  exec "${enter[@]}" snort -k none -l "$service" -i eth1 \
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
    --pidfile "$service/pid" --af-packet=eth1 || touch "$service/failed"
} </dev/null >"$service/start" 2>&1 &
    ;;
  *) echo "service ids: no engine, since this machine has neither snort nor suricata" ;;
esac

# The sensor of service ids-ipv4.
service=/var/lib/srv6lab/services/ids-ipv4
enter=()
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
    words=(-c "$service/snort.lua" -s 2018 --bpf ip)
    ;;
  *)
cat >"$service/snort.conf" <<EOF
config checksum_mode: none
output alert_csv: alert.csv timestamp,sig_generator,sig_id,msg,proto,src,dst
$(sed -nE "s/$class/config classification: \\1,\\1,3/p" "$service/rules" | sort -u)
include $service/rules
EOF
    words=(-N -c "$service/snort.conf" -P 2018 ip)
    ;;
esac
(
  echo "$BASHPID" >"$service/pid"
  exec "${enter[@]}" snort -k none -l "$service" -i eth1 \
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
    --pidfile "$service/pid" --af-packet=eth1 ip || touch "$service/failed"
} </dev/null >"$service/start" 2>&1 &
    ;;
  *) echo "service ids-ipv4: no engine, since this machine has neither snort nor suricata" ;;
esac

# Sensor ids has started.
service=/var/lib/srv6lab/services/ids
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
  echo "day0/server2.sh: service ids: $engine does not start:" >&2
  tail -n 5 "$service/start" "$service/log" >&2 || true
  exit 1
fi
why=
[[ $engine == none || $engine == snort ]] || command -v snort >/dev/null || why=", since this machine has no snort"
echo "service ids: $engine on eth1$why"
# Sensor ids-ipv4 has started.
service=/var/lib/srv6lab/services/ids-ipv4
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
  echo "day0/server2.sh: service ids-ipv4: $engine does not start:" >&2
  tail -n 5 "$service/start" "$service/log" >&2 || true
  exit 1
fi
why=
[[ $engine == none || $engine == snort ]] || command -v snort >/dev/null || why=", since this machine has no snort"
echo "service ids-ipv4: $engine on eth1, IPv4 frames only$why"
