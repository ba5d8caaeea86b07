"""The examples, built as a user would: against the installed library, through pkg-config; then run against each other."""
import os
import shlex
import subprocess
import sys
import tempfile

BUILD = os.environ["ATLS_BUILD_ROOT"]
SOURCE = os.environ["ATLS_SOURCE_ROOT"]
MESON, CC, SANITIZE = sys.argv[1:4]


def install(root):
    subprocess.run([MESON, "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root], check=True,
                   stdout=subprocess.DEVNULL)
    found = [os.path.join(d, "pkgconfig") for d, dirs, _ in os.walk(root) if "pkgconfig" in dirs]
    assert len(found) == 1, found
    return found[0]


def build(name, package, root, pkgconfig):
    env = dict(os.environ, PKG_CONFIG_PATH=pkgconfig, PKG_CONFIG_SYSROOT_DIR=root)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", package], env=env, check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    out = os.path.join(root, name)
    sanitize = [] if SANITIZE == "none" else ["-fsanitize=" + SANITIZE]
    # The system's own paths carry no prefix: OpenSSL is not installed under root.
    subprocess.run(shlex.split(CC) + ["-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", out,
                                      os.path.join(SOURCE, "examples", name + ".c")] + sanitize + shlex.split(flags),
                   check=True)
    return out


def main():
    with tempfile.TemporaryDirectory() as root:
        pkgconfig = install(root)
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(pkgconfig))
        client = build("client", "libatls", root, pkgconfig)
        server = build("server", "libatls-attest", root, pkgconfig)
        with subprocess.Popen([server, "0", root], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=env) as process:
            try:
                port = process.stdout.readline().strip()
                run = lambda *more: subprocess.run([client, "127.0.0.1", port, os.path.join(root, "tdx.json"), *more],
                                                   env=env, capture_output=True, text=True, timeout=60)
                good = run(os.path.join(root, "root.pem"))
                assert good.returncode == 0, good
                assert good.stdout == "hello\n", good
                assert "SIMULATED" in good.stderr and "session (exporter + key + role)" in good.stderr, good
                # Who does not name the simulator's root does not trust it, and says nothing to it.
                bad = run()
                assert bad.returncode == 4, bad
                assert bad.stdout == "" and "REFUSED" in bad.stderr, bad
                # And the server goes on.
                assert run(os.path.join(root, "root.pem")).stdout == "hello\n"
            finally:
                process.kill()


main()
