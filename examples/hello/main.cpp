// Serves "hello" over HTTP from a TCP/IP stack of its own. As root, in a network namespace or on a machine of yours:
//   ./hello & sleep 1; ip address add 198.51.100.1/24 dev tun0; ip link set tun0 up; curl http://198.51.100.2/
#include <tunic/drivers/tun.hpp>
#include <tunic/http/server/server.hpp>
#include <tunic/stack/asio/tcp_acceptor.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

int main() {
  asio::io_context io;
  tunic::drivers::tun device{{.name = "tun0"}};
  tunic::host host{io, device, {.address = "198.51.100.2/24"}};
  tunic::tcp::acceptor acceptor{host, {.port = 80}};
  auto hello = [](const tunic::http::request&) { return tunic::http::response::text("hello\n"); };
  asio::co_spawn(io, tunic::http::serve(acceptor, hello), asio::detached);
  io.run();
}
