// A folder over TLS by our HTTP server: Asio's stream of OpenSSL on top of our socket, on port 443.

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/ssl.hpp>

#include "drivers/tun.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "stack/asio/tcp_socket.hpp"

namespace {

using tls_stream = asio::ssl::stream<tunic::tcp::socket>;

asio::awaitable<void> shake_hands(tls_stream s, tunic::http::server& on) {
  std::error_code e;
  co_await s.async_handshake(tls_stream::server, asio::redirect_error(asio::use_awaitable, e));
  if (!e) on.serve_connection(std::move(s));
}

asio::awaitable<void> accept(tunic::tcp::acceptor& from, asio::ssl::context& tls, tunic::http::server& on) {
  for (;;) {
    tls_stream s{co_await from.async_accept(asio::use_awaitable), tls};
    asio::co_spawn(from.get_executor(), shake_hands(std::move(s), on), asio::detached);
  }
}

void run(const std::string& name, const std::string& address, const std::string& folder, const std::string& pem) {
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tls.use_certificate_chain_file(pem);
  tls.use_private_key_file(pem, asio::ssl::context::pem);
  asio::io_context io{1};
  tunic::drivers::tun device{{.name = name}};
  tunic::host host{io, device, {.address = address}};
  tunic::tcp::acceptor acceptor{host, {.port = 443}};
  tunic::http::server server{io.get_executor(), std::make_shared<tunic::http::static_files>(folder)};
  asio::co_spawn(io, accept(acceptor, tls, server), asio::detached);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](std::error_code, int) {
    server.close();
    host.close();
  });
  std::puts("ready");
  std::fflush(stdout);
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Serves a folder over TLS, on port 443.", "tunic_tls"};
  std::string name = "tun0", address, folder, pem;
  app.add_option("--tun", name, "TUN device")->capture_default_str();
  app.add_option("--address", address, "address of the stack, such as 198.51.100.2/24")->required();
  app.add_option("--certificate", pem, "file with the certificate and its key")->required();
  app.add_option("folder", folder)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    run(name, address, folder, pem);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tunic_tls: %s\n", e.what());
    return 1;
  }
}
