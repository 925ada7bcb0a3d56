#!/bin/sh
# Ballast on a server with systemd: docs/deploy/vps.md. Read it before you run it as root. Each step may be repeated.
#
#   sudo sh /srv/ballast/deploy/install.sh               install, or mend what is missing
#   sudo sh /srv/ballast/deploy/install.sh upgrade       back up, fetch the newest version, restart
#   sudo sh /srv/ballast/deploy/install.sh uninstall     remove the service; settings and database stay
#   sudo sh /srv/ballast/deploy/install.sh uninstall --everything     remove these, too, after a question
#
# It writes to: /srv/ballast/.venv (the libraries), /etc/ballast.env (the settings, for root alone),
# /etc/systemd/system/ballast.service, and makes the user "ballast". The service itself writes to /var/lib/ballast.
set -eu

top=${BALLAST_ROOT:-}  # another folder instead of / (for the tests)
checkout=$top/srv/ballast
settings=$top/etc/ballast.env
unit=$top/etc/systemd/system/ballast.service
state=$top/var/lib/ballast

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

check_machine() {
    [ "$(id -u)" = 0 ] || fail "run it as root: sudo sh $checkout/deploy/install.sh"
    command -v systemctl >/dev/null || fail "this machine has no systemd; docs/deploy/README.md names other ways"
    [ -f "$checkout/requirements.txt" ] || fail "clone Ballast into $checkout first"
    cd "$checkout"
}

install_libraries() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed"
    python3 -c 'import ensurepip' || fail "venv is missing: sudo apt install python3-venv"
    [ -x .venv/bin/python ] || python3 -m venv .venv
    say "Installing the libraries, each by its hash ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
}

make_user() {
    id ballast >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ballast
}

write_settings() {
    if [ -s "$settings" ]; then return; fi
    if [ -z "${TELEGRAM_TOKEN:-}" ]; then
        printf 'The token from @BotFather (it is not shown): '
        if [ -t 0 ]; then trap 'stty echo; exit 1' INT TERM; stty -echo; fi
        read -r TELEGRAM_TOKEN || true
        if [ -t 0 ]; then stty echo; trap - INT TERM; fi
        say ""
    fi
    case $TELEGRAM_TOKEN in
        *[!0-9A-Za-z:_-]* | *:*:*) fail "a token looks like 123456789:AA..." ;;
        [0-9]*:?*) ;;
        *) fail "a token looks like 123456789:AA..." ;;
    esac
    (
        umask 077
        printf 'TELEGRAM_TOKEN=%s\nDATABASE_URL=sqlite:////var/lib/ballast/ballast.db\n' "$TELEGRAM_TOKEN" >"$settings"
    )
    say "Settings are in $settings."
}

log_since() { journalctl --unit ballast --since "$1" --output cat 2>/dev/null || true; }

start_service() {
    install -m 644 deploy/ballast.service "$unit"
    systemctl daemon-reload
    systemctl enable --quiet ballast
    began=$(date '+%Y-%m-%d %H:%M:%S')
    systemctl restart ballast
    say "Started. It may take a minute ..."
    for _ in $(seq "${BALLAST_PATIENCE:-60}"); do
        case $(log_since "$began") in
            *"startup ready"* | *'"ready"'*)
                sleep 1
                log_since "$began" | grep "no owner yet" || say "It runs, and has an owner."
                return
                ;;
        esac
        sleep 1
    done
    fail "it did not come up; see: journalctl --unit ballast"
}

back_up() {
    file=/var/lib/ballast/before-$(date +%Y%m%d-%H%M%S).backup
    systemd-run --quiet --pipe --wait -p User=ballast -p WorkingDirectory=/srv/ballast \
        -p EnvironmentFile=/etc/ballast.env -p StateDirectory=ballast \
        /srv/ballast/.venv/bin/python -m bot backup "$file"
}

uninstall() {
    systemctl disable --quiet --now ballast 2>/dev/null || true
    rm -f "$unit"
    systemctl daemon-reload
    rm -rf "$checkout/.venv"
    if id ballast >/dev/null 2>&1; then userdel ballast; fi
    say "The service is removed. Delete its key at MEXC if you do not go on with it elsewhere."
    if [ "${1:-}" != --everything ]; then
        say "Kept: $settings, $state (database and encryption key), $checkout."
        return
    fi
    printf 'Delete settings, database and encryption key for ever? Type delete: '
    read -r answer || true
    [ "$answer" = delete ] || fail "nothing more was deleted"
    rm -rf "$settings" "$state" "$checkout"
    say "All of it is deleted."
}

check_machine
case ${1:-install} in
    install)
        install_libraries
        make_user
        write_settings
        start_service
        ;;
    upgrade)
        [ -f "$unit" ] || fail "it is not installed yet"
        back_up
        git pull --quiet --ff-only
        exec sh deploy/install.sh install  # the new version's own steps
        ;;
    uninstall) uninstall "${2:-}" ;;
    *) fail "it knows install, upgrade and uninstall" ;;
esac
