#!/bin/sh
# Installs what make stack and some tests need, on Debian and Ubuntu: `make servers`. The servers, and for tests of the
# pages a browser and a font with Chinese characters.
#
# Debian starts what it installs; this keeps it from doing so, by the file that Debian asks (policy-rc.d), so that no
# server of the system runs that did not run before. What is here already is neither changed nor restarted.
set -eu

has() {
    PATH=/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:$PATH command -v "$1" >/dev/null
}

missing=
has mariadbd && has mariadb-install-db || missing="$missing mariadb-server"
has rabbitmq-server || missing="$missing rabbitmq-server"
has redis-server || missing="$missing redis-server"
has nginx || missing="$missing nginx"
has chromium || missing="$missing chromium"
ls /usr/share/fonts/opentype/noto/NotoSansCJK-*.ttc >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
if [ -z "$missing" ]; then
    echo "MariaDB, RabbitMQ, Redis, nginx and chromium are here."
    exit 0
fi
if ! has apt-get; then
    echo "Not Debian or Ubuntu (no apt-get here): install$missing by this system's own means, or use make run." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    has sudo || { echo "As root: apt-get install$missing (there is no sudo here), or use make run." >&2; exit 1; }
    exec sudo sh "$0"
fi

policy=/usr/sbin/policy-rc.d
own=
forget_policy() {
    [ -z "$own" ] || rm -f "$policy"
}
if [ ! -e "$policy" ]; then
    trap forget_policy EXIT
    trap 'exit 1' HUP INT TERM
    own=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends --no-upgrade $missing
echo "Installed:$missing. None of it runs; a system with systemd starts it when it boots (systemctl disable ...)."
