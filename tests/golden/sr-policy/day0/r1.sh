#!/usr/bin/env bash
# Day0 of router r1, lab sr-policy. Safe to run again.
set -euo pipefail
trap 'echo "day0/r1.sh:$LINENO: $BASH_COMMAND" >&2' ERR

# A machine of its own has what its box has; what lacks comes from its archive.
if [[ ${SRV6LAB_GUEST-} ]]; then
  # Its name, which has no _ (RFC 1123, section 2.1). Vagrant would restart the network for it, NICs of links as well.
  echo r1 >/etc/hostname
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
  for tool in ip:iproute2 ping:iputils-ping python3:python3 nft:nftables; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  if [[ ${missing[*]-} ]] && ! install_packages "${missing[@]}" >/var/log/srv6lab-packages.log 2>&1; then
    echo "day0/r1.sh: r1 lacks ${missing[*]//|/ or }, and its archive does not give them: connect it to a network, or use a box that has them" >&2
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
  echo "day0/r1.sh: r1 has no NIC with MAC $2 ($1)" >&2
  return 1
}
eth1=
find_nic eth1 02:9c:65:7f:2f:ca
eth2=
find_nic eth2 02:0f:a1:b5:9f:50
eth3=
find_nic eth3 02:df:49:a9:bf:76
eth4=
find_nic eth4 02:78:35:58:c6:20
eth5=
find_nic eth5 02:75:16:d5:d1:7f
eth6=
find_nic eth6 02:ce:2b:22:06:50
mkdir -p /var/lib/srv6lab
cat >/var/lib/srv6lab/nics <<EOF
eth1=$eth1
eth2=$eth2
eth3=$eth3
eth4=$eth4
eth5=$eth5
eth6=$eth6
EOF

# Its addresses are those of the file: a neighbor that advertises a prefix gives it none, and no default route.
for nic in default "$eth1" "$eth2" "$eth3" "$eth4" "$eth5" "$eth6"; do
  echo 0 >"/proc/sys/net/ipv6/conf/$nic/accept_ra"
done
# Forward both families and accept segment routing. rp_filter would drop what a SID decapsulates:
# its source isn't routed back over the NIC that it came in by.
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
for nic in all default lo "$eth1" "$eth2" "$eth3" "$eth4" "$eth5" "$eth6"; do
  echo 1 >"/proc/sys/net/ipv6/conf/$nic/seg6_enabled"
  echo 0 >"/proc/sys/net/ipv4/conf/$nic/rp_filter"
done
# Flows are told apart by their ports, and policies share flows.
for family in ipv4 ipv6; do
  echo 1 >"/proc/sys/net/$family/fib_multipath_hash_policy"
done

# Addresses, routes and segments in one go: a fork of ip for each would be most of the time.
ip -batch - <<EOF
link set dev lo up
link set dev $eth1 mtu 1500 up
address replace 10.0.0.2/24 dev $eth1
link set dev $eth2 mtu 2000 up
address replace 2001:12::1/64 dev $eth2
link set dev $eth3 mtu 2000 up
address replace 2001:13::1/64 dev $eth3
link set dev $eth4 mtu 2000 up
address replace 2001:14::1/64 dev $eth4
link set dev $eth5 mtu 2000 up
address replace 2001:15::1/64 dev $eth5
link set dev $eth6 mtu 2000 up
address replace 2001:10::2/64 dev $eth6
address replace fc00:1::1/64 dev lo
route replace fc00:0:a::/64 via 2001:10::1 dev $eth6
route replace fc00:2::/64 via 2001:12::2 dev $eth2
route replace fc00:3::/64 via 2001:13::2 dev $eth3
route replace fc00:4::/64 via 2001:14::2 dev $eth4
route replace fc00:5::/64 via 2001:15::2 dev $eth5
route replace fc00:1::a4/128 encap seg6local action End.DX4 nh4 10.0.0.1 dev $eth1
EOF

# Ready once no address is tentative: until then the kernel doesn't answer for it.
for ((tries = 0; tries < 100; tries++)); do
  tentative=$(ip -6 -oneline address show tentative)
  [[ $tentative ]] || break
  sleep 0.1
done
if [[ $tentative ]]; then
  echo "day0/r1.sh: duplicate address detection does not end: $tentative" >&2
  exit 1
fi

# Vagrant uploads as an ordinary user.
if [[ ${SRV6LAB_AGENT-} ]]; then
  rm -rf /usr/local/lib/srv6lab
  cp -r "$SRV6LAB_AGENT" /usr/local/lib/srv6lab
fi
if [[ ! -e /usr/local/lib/srv6lab/srv6lab/agent/__main__.py ]]; then
  echo "day0/r1.sh: no agent for SR policies: /usr/local/lib/srv6lab is missing" >&2
  exit 1
fi
policies=/var/lib/srv6lab/policies
mkdir -p "$policies"
told='{
 "address": "fc00:1::1",
 "arrays": [
  {
   "classes": {
    "0": 40,
    "1": 20,
    "2": 30
   },
   "endpoint": "fc00:5::1",
   "mode": "encap",
   "otherwise": [
    "encap",
    "seg6",
    "mode",
    "encap",
    "segs",
    "fc00:5::c4",
    "dev",
    "eth5"
   ],
   "prefix": "10.0.2.0/24",
   "sid": "fc00:5::c4"
  }
 ],
 "binding_sids": {
  "pool": [],
  "taken": {
   "fc00:1::a4": "End.DX4"
  }
 },
 "db": {
  "links": [
   {
    "local": "2001:10::1",
    "neighbor": "r1",
    "node": "r0",
    "remote": "2001:10::2"
   },
   {
    "local": "2001:10::2",
    "neighbor": "r0",
    "node": "r1",
    "remote": "2001:10::1"
   },
   {
    "delay": 500,
    "local": "2001:12::1",
    "neighbor": "r2",
    "node": "r1",
    "remote": "2001:12::2"
   },
   {
    "delay": 500,
    "local": "2001:12::2",
    "neighbor": "r1",
    "node": "r2",
    "remote": "2001:12::1"
   },
   {
    "delay": 500,
    "local": "2001:13::1",
    "neighbor": "r3",
    "node": "r1",
    "remote": "2001:13::2"
   },
   {
    "delay": 500,
    "local": "2001:13::2",
    "neighbor": "r1",
    "node": "r3",
    "remote": "2001:13::1"
   },
   {
    "delay": 100,
    "local": "2001:14::1",
    "neighbor": "r4",
    "node": "r1",
    "remote": "2001:14::2"
   },
   {
    "delay": 100,
    "local": "2001:14::2",
    "neighbor": "r1",
    "node": "r4",
    "remote": "2001:14::1"
   },
   {
    "delay": 900,
    "local": "2001:15::1",
    "neighbor": "r5",
    "node": "r1",
    "remote": "2001:15::2"
   },
   {
    "delay": 900,
    "local": "2001:15::2",
    "neighbor": "r1",
    "node": "r5",
    "remote": "2001:15::1"
   },
   {
    "delay": 500,
    "local": "2001:25::1",
    "neighbor": "r5",
    "node": "r2",
    "remote": "2001:25::2"
   },
   {
    "delay": 500,
    "local": "2001:25::2",
    "neighbor": "r2",
    "node": "r5",
    "remote": "2001:25::1"
   },
   {
    "delay": 500,
    "local": "2001:35::1",
    "neighbor": "r5",
    "node": "r3",
    "remote": "2001:35::2"
   },
   {
    "delay": 500,
    "local": "2001:35::2",
    "neighbor": "r3",
    "node": "r5",
    "remote": "2001:35::1"
   },
   {
    "delay": 100,
    "local": "2001:45::1",
    "neighbor": "r5",
    "node": "r4",
    "remote": "2001:45::2"
   },
   {
    "delay": 100,
    "local": "2001:45::2",
    "neighbor": "r4",
    "node": "r5",
    "remote": "2001:45::1"
   },
   {
    "local": "2001:56::1",
    "neighbor": "r6",
    "node": "r5",
    "remote": "2001:56::2"
   },
   {
    "local": "2001:56::2",
    "neighbor": "r5",
    "node": "r6",
    "remote": "2001:56::1"
   }
  ],
  "nodes": [
   {
    "name": "r0",
    "prefixes": [
     "fc00:0:a::/64",
     "fc00:0:a::1/128"
    ]
   },
   {
    "name": "r1",
    "prefixes": [
     "fc00:1::/64",
     "fc00:1::1/128"
    ]
   },
   {
    "name": "r2",
    "prefixes": [
     "fc00:2::/64",
     "fc00:2::1/128"
    ]
   },
   {
    "name": "r3",
    "prefixes": [
     "fc00:3::/64",
     "fc00:3::1/128"
    ]
   },
   {
    "name": "r4",
    "prefixes": [
     "fc00:4::/64",
     "fc00:4::1/128"
    ]
   },
   {
    "name": "r5",
    "prefixes": [
     "fc00:5::/64",
     "fc00:5::1/128"
    ]
   },
   {
    "name": "r6",
    "prefixes": [
     "fc00:6::/64",
     "fc00:6::1/128"
    ]
   }
  ],
  "sids": [
   {
    "behavior": "End.DX4",
    "node": "r1",
    "sid": "fc00:1::a4"
   },
   {
    "node": "r2",
    "sid": "fc00:2::e"
   },
   {
    "node": "r3",
    "sid": "fc00:3::e"
   },
   {
    "node": "r4",
    "sid": "fc00:4::e"
   },
   {
    "node": "r5",
    "sid": "fc00:5::e"
   },
   {
    "behavior": "End.DT6",
    "node": "r5",
    "sid": "fc00:5::6"
   },
   {
    "behavior": "End.DX4",
    "node": "r5",
    "sid": "fc00:5::b4"
   },
   {
    "behavior": "End.DX4",
    "node": "r5",
    "sid": "fc00:5::c4"
   }
  ]
 },
 "flows": [
  {
   "class": 1,
   "port": 5001,
   "protocol": "udp"
  },
  {
   "class": 2,
   "port": 5002,
   "protocol": "udp"
  }
 ],
 "interval": 0.1,
 "misses": 3,
 "names": "/var/lib/srv6lab/nics",
 "nics": {
  "2001:10::2": "eth6",
  "2001:12::1": "eth2",
  "2001:13::1": "eth3",
  "2001:14::1": "eth4",
  "2001:15::1": "eth5"
 },
 "node": "r1",
 "policies": [
  {
   "candidate_paths": [
    {
     "discriminator": 1,
     "name": "two lists",
     "preference": 200,
     "segment_lists": [
      {
       "segments": [
        "fc00:2::e"
       ],
       "weight": 3
      },
      {
       "segments": [
        "fc00:3::e"
       ]
      }
     ]
    },
    {
     "discriminator": 2,
     "name": "backup",
     "segment_lists": [
      {
       "segments": [
        "fc00:4::e"
       ]
      }
     ]
    }
   ],
   "color": 10,
   "endpoint": "fc00:5::1",
   "name": "weighted"
  },
  {
   "candidate_paths": [
    {
     "dynamic": {
      "metric": "delay"
     }
    }
   ],
   "color": 20,
   "drop_upon_invalid": true,
   "endpoint": "fc00:5::1",
   "name": "low delay"
  },
  {
   "candidate_paths": [
    {
     "composite": [
      {
       "color": 10
      },
      {
       "color": 20
      }
     ]
    }
   ],
   "color": 30,
   "endpoint": "fc00:5::1",
   "name": "composite"
  },
  {
   "candidate_paths": [
    {
     "segment_lists": [
      {
       "segments": [
        "fc00:2::e"
       ]
      }
     ]
    }
   ],
   "color": 40,
   "endpoint": "fc00:5::1",
   "name": "over r2"
  },
  {
   "candidate_paths": [
    {
     "binding_sid": "fc00:1::b",
     "segment_lists": [
      {
       "segments": [
        "fc00:4::e",
        "fc00:5::6"
       ]
      }
     ]
    }
   ],
   "color": 50,
   "endpoint": "fc00:5::1",
   "name": "bound"
  }
 ],
 "steering": [
  {
   "colors": [
    {
     "color": 10
    }
   ],
   "endpoint": "fc00:5::1",
   "mode": "encap",
   "otherwise": [
    "encap",
    "seg6",
    "mode",
    "encap",
    "segs",
    "fc00:5::b4",
    "dev",
    "eth5"
   ],
   "prefix": "10.0.1.0/24",
   "sid": "fc00:5::b4"
  }
 ]
}'
if [[ ! -e $policies/config.json || $(<"$policies/config.json") != "$told" ]]; then
  if ! flock --nonblock "$policies/state.lock" true; then
    kill "$(<"$policies/pid")"
    flock "$policies/state.lock" true
  fi
  printf '%s\n' "$told" >"$policies/config.json"
fi
# Whatever it said is to be said again: `up` waits for that.
[[ ! -e $policies/state.json ]] || sed -i 's/"installed": true/"installed": false/' "$policies/state.json"
if flock --nonblock "$policies/state.lock" true; then
  # shellcheck disable=SC2016  # the shell that becomes the agent expands it
  setsid bash -c 'cd /usr/local/lib/srv6lab; echo $$ >"$1/pid"
    exec python3 -B -m srv6lab.agent "$1/config.json" "$1/state.json"' - "$policies" \
    </dev/null >"$policies/log" 2>&1 &
else
  # It installs again what somebody may have taken away.
  kill -HUP "$(<"$policies/pid")"
fi
