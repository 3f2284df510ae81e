#!/usr/bin/env bash
# Day0 of sr-proxy server1, lab proxy-ad6. Safe to run again.
set -euo pipefail
trap 'echo "day0/server1.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  missing=()
  for tool in ip:iproute2 ping:iputils-ping python3:python3 tcpdump:tcpdump nft:nftables iptables:iptables suricata:suricata; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  if [[ ${missing[*]-} ]] &&
    ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "${missing[@]}"; } >/var/log/srv6lab-packages.log 2>&1; then
    echo "day0/server1.sh: server1 lacks ${missing[*]}, and its archive does not give them: connect it to a network, or use a box that has them" >&2
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
find_nic eth1 02:df:f6:87:f0:41
mkdir -p /var/lib/srv6lab
cat >/var/lib/srv6lab/nics <<EOF
eth1=$eth1
EOF

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
address replace fc00:a::1/64 dev lo
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

# The namespace of service ids: what comes in by one port leaves by the other.
[[ -e /run/netns/ids ]] || ip netns add ids
[[ -e /sys/class/net/veth0 ]] ||
  ip link add veth0 address 02:01:46:ae:d5:31 mtu 2000 type veth \
    peer name veth0-ids address 02:d2:db:27:7e:f6 mtu 2000 netns ids
[[ -e /sys/class/net/veth1 ]] ||
  ip link add veth1 address 02:cf:8c:d9:99:bf mtu 2000 type veth \
    peer name veth1-ids address 02:a6:b6:f5:48:b8 mtu 2000 netns ids
# A new namespace starts with the settings of the machine's first one, so it is told its own.
ip netns exec ids bash -c 'cd /proc/sys/net/ipv6/conf/all; echo 0 >disable_ipv6; echo 1 >forwarding'
ip -batch - <<EOF
link set dev veth0 up
address replace fd00:a::1/64 dev veth0 nodad
link set dev veth1 up
address replace fd00:a:1::1/64 dev veth1 nodad
EOF
ip -netns ids -batch - <<EOF
link set dev lo up
link set dev veth0-ids up
address replace fd00:a::2/64 dev veth0-ids nodad
link set dev veth1-ids up
address replace fd00:a:1::2/64 dev veth1-ids nodad
route replace ::/0 via fd00:a:1::1 dev veth1-ids table 101
route replace ::/0 via fd00:a::1 dev veth0-ids table 102
EOF
rules=$(ip -6 -netns ids rule show)
[[ $rules == *"iif veth0-ids lookup"* ]] ||
  ip -6 -netns ids rule add iif veth0-ids lookup 101
[[ $rules == *"iif veth1-ids lookup"* ]] ||
  ip -6 -netns ids rule add iif veth1-ids lookup 102

# The sensor of service ids.
service=/var/lib/srv6lab/services/ids
enter=(ip netns exec ids)
mkdir -p "$service"
rules='# Type 128 is an echo request: without it the rule fires once a flow, with it once a request.
alert icmp any any -> any any (msg:"ICMPv6 echo request"; itype:128; sid:1000; rev:1;)
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
engine=suricata
echo "$engine" >"$service/engine"
case ${running:-$engine} in
  yes) ;;
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
  "${enter[@]}" suricata -D -c "$service/suricata.yaml" -S "$service/rules" -k none -l "$service" --runmode single \
    --pidfile "$service/pid" --af-packet=veth0-ids || touch "$service/failed"
} </dev/null >"$service/start" 2>&1 &
    ;;
  *) echo "service ids: no engine, since this machine has neither snort nor suricata" ;;
esac

# The sensor of service tap.
service=/var/lib/srv6lab/services/tap
enter=()
mkdir -p "$service"
rules='# Type 128 is an echo request: without it the rule fires once a flow, with it once a request.
alert icmp any any -> any any (msg:"ICMPv6 echo request"; itype:128; sid:1000; rev:1;)
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
engine=suricata
echo "$engine" >"$service/engine"
case ${running:-$engine} in
  yes) ;;
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
  "${enter[@]}" suricata -D -c "$service/suricata.yaml" -S "$service/rules" -k none -l "$service" --runmode single \
    --pidfile "$service/pid" --af-packet=eth1 || touch "$service/failed"
} </dev/null >"$service/start" 2>&1 &
    ;;
  *) echo "service tap: no engine, since this machine has neither snort nor suricata" ;;
esac

service=/var/lib/srv6lab/services/ids
engine=$(<"$service/engine")
for ((tries = 0; tries < 1000; tries++)); do
  [[ $engine != none && ! -e $service/ready && ! -e $service/failed ]] || break
  case $engine in
    snort)
      started='Commencing packet processing'
      [[ ! -s $service/pid ]] || kill -0 "$(<"$service/pid")" 2>/dev/null || touch "$service/failed"
      ;;
    suricata) started='Engine started' ;;
  esac
  if [[ -e $service/log && $(<"$service/log") == *"$started"* ]]; then touch "$service/ready"; else sleep 0.02; fi
done
if [[ $engine != none && ! -e $service/ready ]]; then
  echo "day0/server1.sh: service ids: $engine does not start:" >&2
  tail -n 5 "$service/start" "$service/log" >&2 || true
  exit 1
fi
echo "service ids: $engine on veth0-ids"
service=/var/lib/srv6lab/services/tap
engine=$(<"$service/engine")
for ((tries = 0; tries < 1000; tries++)); do
  [[ $engine != none && ! -e $service/ready && ! -e $service/failed ]] || break
  case $engine in
    snort)
      started='Commencing packet processing'
      [[ ! -s $service/pid ]] || kill -0 "$(<"$service/pid")" 2>/dev/null || touch "$service/failed"
      ;;
    suricata) started='Engine started' ;;
  esac
  if [[ -e $service/log && $(<"$service/log") == *"$started"* ]]; then touch "$service/ready"; else sleep 0.02; fi
done
if [[ $engine != none && ! -e $service/ready ]]; then
  echo "day0/server1.sh: service tap: $engine does not start:" >&2
  tail -n 5 "$service/start" "$service/log" >&2 || true
  exit 1
fi
echo "service tap: $engine on eth1"

srext_serves() {
  why="of SREXT only End.AD4 is proven, and this node has End.AD6"
  return 1
}

why=
if srext_serves; then
  mechanism=SREXT
else
  mechanism="srconf on eBPF"
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
add=(srconf localsid add fc00:a::a6 end.ad6 ip fd00:a::2 veth0 veth1)
if ! answer=$("${add[@]}" 2>&1) && [[ $answer != *"Identical localsid"* ]]; then
  srconf localsid del fc00:a::a6 >/dev/null 2>&1 || true
  "${add[@]}" >/dev/null
fi
shown=$(srconf localsid show)
[[ $shown == *fc00:a::a6* ]]
echo "SID fc00:a::a6 End.AD6: $mechanism serves${why:+ ($why)}"
