"""The kernel's side: the device, its sockets, and nginx."""
import contextlib
import os
import pathlib
import socket
import tempfile
import threading

from support import KERNEL4, KERNEL6, MIB, STACK4, Skip, eventually, inside, ip, process


def make_device(name="tun0", mtu=1500, addresses=(KERNEL4, KERNEL6), where=(), several=False):
    """A persistent TUN device, up, with the kernel's addresses and CUBIC towards the stack; `where`: -n NETNS; `several`:
    of several queues."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("there is no /dev/net/tun: modprobe tun")
    ip(*where, "tuntap", "add", "dev", name, "mode", "tun", *(("multi_queue",) if several else ()))
    ip(*where, "link", "set", name, "mtu", mtu, "up")
    ip(*where, "address", "add", f"{addresses[0]}/24", "dev", name)
    ip(*where, "address", "add", f"{addresses[1]}/64", "dev", name, "nodad")
    use_cubic(name, addresses[0], *where)


def use_cubic(device, source, *where):
    """The machine's default may be BBR, which paces itself where there is no fq queue."""
    ip(*where, "route", "replace", "198.51.100.0/24", "dev", device, "src", source, "congctl", "cubic")


def listening(port, address=KERNEL4):
    """A TCP socket of the kernel's that listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    return s


@contextlib.contextmanager
def serving_once(conversation, port=80):
    """A server of the kernel's for one connection, which conversation(socket) holds in a thread."""
    with listening(port) as listener:
        listener.settimeout(20)

        def serve():
            with contextlib.suppress(TimeoutError):
                accepted, _ = listener.accept()
                with accepted:
                    conversation(accepted)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(20)


def connect(port=80, address=STACK4, timeout=10):
    return socket.create_connection((address, port), timeout)


def is_refused():
    try:
        connect().close()
    except ConnectionRefusedError:
        return True
    return False


def receive_all(s):
    """All octets until the peer's FIN."""
    octets = bytearray()
    while True:
        some = s.recv(MIB)
        if not some:
            return bytes(octets)
        octets += some


def get(path="/", close=True):
    """The octets of a request."""
    return f"GET {path} HTTP/1.1\r\nHost: {STACK4}\r\n{'Connection: close' if close else 'X: y'}\r\n\r\n".encode()


NGINX = """
worker_processes 1; daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=100;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen {address}:80; {tls} root {site}; }}
}}
"""


@contextlib.contextmanager
def nginx(site, address=KERNEL4, name=None, certificate=None):
    """nginx on the kernel's TCP, serving a folder; in the namespace named, or in this one. With a file that holds a
    certificate and its key also over TLS."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    configuration = pathlib.Path(folder, "nginx.conf")
    tls = (f"listen {address}:443 ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};"
           if certificate else "")
    configuration.write_text(NGINX.format(folder=folder, site=site, address=address, tls=tls))
    command = ["nginx", "-e", f"{folder}/error.log", "-c", configuration]
    with process(*(inside(name, *command) if name else command)) as p:
        eventually("nginx listens", lambda: pathlib.Path(folder, "nginx.pid").exists())
        yield p
