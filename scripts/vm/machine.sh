# One boot of the test machine: what it gets, how it ends. Sourced by scripts/test-vm, with $image, $work and $timeout_s set.
#
# The console is the first serial port; the command's exit status comes out of the second one, by itself, so that nothing that
# is printed can be taken for it.

# initrd: the first root directory, as an archive on standard output.
initrd() {
    local tree=$work/initrd.d
    mkdir -p "$tree"/{bin,dev,proc,root}
    cp /bin/busybox "$tree/bin/"
    cp -r "$image/modules" "$tree/modules"
    install -m 755 "$top/scripts/vm/initramfs" "$tree/init"
    (cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null)
}

# payload COMMAND: an archive for the disk's root directory: the project as .venv has it, its tests, and what to run.
payload() {
    local tree=$work/payload.d
    rm -rf "$tree"
    mkdir -p "$tree"/opt/{jubako/bin,jubako/lib/site-packages,vm/checkout}
    cp -r "$venv"/lib/python3.*/site-packages/jubako{,-*.dist-info} "$tree/opt/jubako/lib/site-packages/"
    cp "$venv"/bin/jubako* "$tree/opt/jubako/bin/"
    cp -r "$top/tests" "$top/pyproject.toml" "$tree/opt/vm/checkout/"
    install -m 755 "$top"/scripts/vm/{init-busybox,init-systemd,run} "$tree/opt/vm/"
    cp "$top/scripts/vm/tests.service" "$tree/opt/vm/"
    echo "$1" >"$tree/opt/vm/command"
    tar -c --owner=0 --group=0 -C "$tree" .
}

# qemu ACCELERATOR ARGUMENT…: a machine without any disk.
qemu() {
    local options="console=ttyS0 quiet panic=-1 jubako.init=${init:-none}"
    # shellcheck disable=SC2086
    timeout --foreground "$1" qemu-system-x86_64 -accel $2 -nodefaults -no-reboot -display none -smp 2 -m 2048 \
        -kernel "$image/vmlinuz" -initrd "$work/initrd" -append "$options" "${@:3}"
}

# accelerator: KVM where a kernel gets to its first program with it, else emulation. Some hosts offer a KVM whose guests hang.
accelerator() {
    if [ -w /dev/kvm ] && qemu 10 'kvm -cpu host' -serial "file:$work/probe" </dev/null >/dev/null 2>&1 &&
        grep -q 'no disk' "$work/probe"; then
        echo kvm -cpu host
    else
        echo tcg,thread=multi -cpu max
    fi
}

# boot INIT: run the command with it as PID 1; returns the command's exit status.
boot() {
    local init=$1 status=$work/status
    : >"$status"
    qemu "$timeout_s" "$accelerator" -serial stdio -serial "file:$status" \
        -drive "file=$image/disk.img,format=raw,if=virtio,snapshot=on" \
        -drive "file=$work/payload,format=raw,if=virtio,readonly=on" ||
        fail "the machine did not end by itself within $timeout_s s"
    [ -s "$status" ] || fail "the machine ended before the tests did"
    return "$(tr -cd 0-9 <"$status")"
}
