"""Runs one instruction on KVM: a script of its own, since a KVM that is broken may never come back.

Says `ran` and exits 0, or says why not. Standard library only; the instruction is x86's.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct
import sys

# ioctls of linux/kvm.h
GET_API_VERSION, CREATE_VM, VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE04
CREATE_VCPU, SET_USER_MEMORY_REGION, RUN = 0xAE41, 0x4020AE46, 0xAE80
SET_REGS, GET_SREGS, SET_SREGS = 0x4090AE82, 0x8138AE83, 0x4138AE84
EXIT_HLT, HLT = 5, b"\xf4"
PLACE, PAGE, SREGS = 0x1000, 4096, 312


def main() -> None:
    try:
        device = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
        if fcntl.ioctl(device, GET_API_VERSION, 0) != 12:
            sys.exit("KVM has another interface than version 12")
        reason = halted(device) if os.uname().machine == "x86_64" else EXIT_HLT
    except OSError as error:
        sys.exit(f"{error.strerror}")
    if reason != EXIT_HLT:
        sys.exit(f"KVM left its guest for reason {reason}")
    sys.stdout.write("ran\n")


def halted(device: int) -> int:
    """Why the guest was left: it is one page in real mode, with one HLT."""
    vm = fcntl.ioctl(device, CREATE_VM, 0)
    memory = mmap.mmap(-1, PAGE)
    memory[:1] = HLT
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(vm, SET_USER_MEMORY_REGION, struct.pack("=IIQQQ", 0, 0, PLACE, PAGE, address))
    processor = fcntl.ioctl(vm, CREATE_VCPU, 0)
    state = mmap.mmap(processor, fcntl.ioctl(device, VCPU_MMAP_SIZE, 0))
    special = bytearray(SREGS)
    fcntl.ioctl(processor, GET_SREGS, special)
    struct.pack_into("=QIH", special, 0, 0, 0xFFFF, 0)  # the code segment begins at 0
    fcntl.ioctl(processor, SET_SREGS, bytes(special))
    fcntl.ioctl(processor, SET_REGS, struct.pack("=18Q", *[0] * 16, PLACE, 2))  # RIP, RFLAGS
    fcntl.ioctl(processor, RUN, 0)
    reason: int = struct.unpack_from("=I", state, 8)[0]
    return reason


if __name__ == "__main__":
    main()
