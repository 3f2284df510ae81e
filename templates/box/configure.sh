#!/bin/sh
# Makes a minimal Debian the root of a box: configure.sh ROOT KEY, where KEY is the public key of Vagrant's that
# its first `up` replaces. Run by mmdebstrap when the packages are in ROOT.
set -eu
root=$1 key=$2

echo srv6lab >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 srv6lab\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"

# The kernel mounts the root as it stays; an entry would make the boot wait until udev has seen the disk.
: >"$root/etc/fstab"

# The first NIC is Vagrant's. Those of the links are Day0's, so nothing else may touch them.
cat >"$root/etc/systemd/network/vagrant.network" <<'END'
[Match]
Name=eth0
[Network]
DHCP=ipv4
IPv6AcceptRA=no
LinkLocalAddressing=no
[DHCPv4]
ClientIdentifier=mac
END
chroot "$root" systemctl enable --quiet systemd-networkd.service
chroot "$root" systemctl set-default --quiet multi-user.target

chroot "$root" useradd --create-home --shell /bin/bash --password '*' vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/vagrant"
chmod 440 "$root/etc/sudoers.d/vagrant"
install -d -m 700 "$root/home/vagrant/.ssh"
install -m 600 "$key" "$root/home/vagrant/.ssh/authorized_keys"
chroot "$root" chown -R vagrant:vagrant /home/vagrant/.ssh

# Each machine makes host keys of its own at its first start; an RSA key takes an emulated one a long time.
rm -f "$root"/etc/ssh/ssh_host_*
mkdir -p "$root/etc/systemd/system/ssh.service.d"
cat >"$root/etc/systemd/system/ssh.service.d/keys.conf" <<'END'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'for kind in ecdsa ed25519; do key=/etc/ssh/ssh_host_$${kind}_key; [ -e $$key ] || ssh-keygen -q -t $$kind -N "" -f $$key; done'
END
printf 'UseDNS no\nGSSAPIAuthentication no\n' >"$root/etc/ssh/sshd_config.d/lab.conf"

# Day0 starts sensors with rules of the lab; what wakes up by itself would only take a lab's time.
for unit in suricata.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer man-db.timer sshd-keygen.service logrotate.timer nftables.service grub-common.service \
    systemd-logind.service systemd-networkd-wait-online.service systemd-udev-load-credentials.service \
    systemd-pcrphase.service systemd-network-generator.service modprobe@drm.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system-generators"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-ssh-generator"

# The disks that VirtualBox, libvirt and qemu can offer, and nothing else: a small initrd loads sooner.
printf '%s\n' ahci ata_piix sd_mod mptspi virtio_pci virtio_blk virtio_scsi ext4 >>"$root/etc/initramfs-tools/modules"
sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
chroot "$root" update-initramfs -u -k all

# Names of NICs as labs use them; Day0 would find them by their MACs under any name.
mkdir -p "$root/boot/grub"
cat >"$root/boot/grub/grub.cfg" <<END
set timeout=0
linux /boot/$(basename "$root"/boot/vmlinuz-*) root=LABEL=srv6lab rw quiet net.ifnames=0 biosdevname=0 console=tty0 console=ttyS0
initrd /boot/$(basename "$root"/boot/initrd.img-*)
boot
END
cat >"$root/tmp/early.cfg" <<'END'
set root=(hd0,msdos1)
configfile /boot/grub/grub.cfg
END
chroot "$root" grub-mkimage --format i386-pc --output /boot/grub/core.img --prefix '(hd0,msdos1)/boot/grub' \
    --config /tmp/early.cfg biosdisk part_msdos ext2 linux normal configfile boot
rm "$root/tmp/early.cfg"
