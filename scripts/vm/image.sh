# The test machine's disk and kernel, made once and kept. Sourced by scripts/test-vm, never run.
#
#   CACHE/KEY/disk.img     ext4: Debian with what scripts/vm/packages lists, a virtual environment of our dependencies in
#                          /opt/jubako, the kernel's modules. Never written to: a boot's writes go to a temporary file.
#   CACHE/KEY/vmlinuz      Debian's kernel for virtual machines, unpacked from its package, installed nowhere
#   CACHE/KEY/modules/     what of it must be loaded before the disk can be mounted, in order
#
# KEY hashes all that goes in. A build happens beside its place and is renamed into it, one at a time.

suite=trixie
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jubako-test-vm

# image: the directory of the machine's files, built if it is not there; in $image.
image() {
    image=$cache/$(image_key)
    mkdir -p "$cache"
    exec 8>"$cache/lock"
    flock 8
    [ -d "$image" ] || image_build
    touch "$image"
    exec 8>&-
}

image_key() {
    cat "$top"/scripts/vm/{image.sh,kernel,packages} "$top"/requirements*.txt | sha256sum | head -c 16
}

image_build() {
    say "Building the test machine's disk, once"
    find "$cache" -mindepth 1 -maxdepth 1 -type d \( -name 'build.*' -o -mtime +14 \) -exec rm -rf --one-file-system {} +
    local build made root
    build=$(mktemp -d "$cache/build.XXXXXX") made=$build/made root=$build/root
    mkdir "$made"
    image_root "$root"
    image_environment "$root"
    image_modules "$root" "$made/modules"
    mv "$root"/boot/vmlinuz-* "$made/vmlinuz"
    rm -rf "$root/boot"
    truncate -s 3G "$made/disk.img"
    mkfs.ext4 -q -O ^has_journal -d "$root" "$made/disk.img"
    mv -T "$made" "$image"
    rm -rf --one-file-system "$build"
}

# image_root DIRECTORY: Debian in it.
image_root() {
    mmdebstrap --quiet --variant=minbase --include="$(paste -sd, "$top/scripts/vm/packages")" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="$top/scripts/vm/kernel" \
        --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash user' \
        "$suite" "$1" http://deb.debian.org/debian
}

# image_environment ROOT: a virtual environment with what tests and project need; the project itself comes with each boot.
image_environment() {
    local packages
    chroot "$1" python3 -m venv --without-pip /opt/jubako
    packages=$(echo "$1"/opt/jubako/lib/python3.*/site-packages)
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --target "$packages" --only-binary :all: \
        --python-version "$(basename "$(dirname "$packages")" | tr -d a-z)" \
        -r "$top/requirements.txt" -c "$top/requirements-dev.txt" pytest hypothesis
    echo /opt/jubako/lib/site-packages >"$packages/project.pth"
}

# image_modules ROOT DIRECTORY: virtio's PCI bus and disk, numbered. A line of modules.dep names a module and what it needs, the
# innermost last.
image_modules() {
    local modules path number=10
    modules=$(echo "$1"/lib/modules/*)
    mkdir "$2"
    for path in $(grep -E '^kernel/drivers/(virtio/virtio_pci|block/virtio_blk)\.ko.xz:' "$modules/modules.dep" |
        tr -s ': ' '\n' | tac | awk '!seen[$0]++'); do
        xz -dc "$modules/$path" >"$2/$((number++))-$(basename "$path" .xz)"
    done
}
