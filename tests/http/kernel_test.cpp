// The server and the client over the kernel's sockets, on the loopback address.
#include <string>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <catch2/catch.hpp>

#include "http/client/get.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "tests/http/support/temporary_folder.hpp"

using namespace tunic::http;
using asio::ip::tcp;

namespace {

const tcp::endpoint any_port{asio::ip::address_v4::loopback(), 0};

// Serves a folder while `visit` runs, then stops; everything has to come to its end by itself.
template <class Visit>
void while_serving(const test::temporary_folder& root, Visit visit) {
  asio::io_context io;
  tcp::acceptor acceptor(io, any_port);
  const auto port = acceptor.local_endpoint().port();
  server serving(io.get_executor(), std::make_shared<static_files>(root.path().string()));
  std::exception_ptr failed;
  bool served = false;
  asio::co_spawn(io, serving.serve(acceptor), [&](std::exception_ptr e) {
    served = true;
    if (e) failed = e;
  });
  asio::co_spawn(io, visit(io, port), [&](std::exception_ptr e) {
    if (e) failed = e;
    serving.stop();
  });
  io.run();
  if (failed) std::rethrow_exception(failed);
  CHECK(served);
  CHECK(serving.connections() == 0);
  CHECK_FALSE(acceptor.is_open());
}

asio::awaitable<tcp::socket> connect(asio::io_context& io, std::uint16_t port) {
  tcp::socket socket(io);
  co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  co_return socket;
}

struct fetched {
  response_head head;
  std::string content;
};

asio::awaitable<fetched> fetch_from(asio::io_context& io, std::uint16_t port, std::string target) {
  fetched out;
  const sink into{
      [](const response_head&) {},
      [&](auto octets) { out.content.append(reinterpret_cast<const char*>(octets.data()), octets.size()); }};
  const auto to = [&io](const std::string&, std::uint16_t at) { return connect(io, at); };
  const get_options options;
  const url from{"127.0.0.1", port, target};  // named: GCC 12 destroys an aggregate made inside a co_await twice
  out.head = co_await fetch(to, from, options, into);
  co_return out;
}

}  // namespace

TEST_CASE("a folder is fetched over the kernel's sockets") {
  test::temporary_folder root;
  std::string large;
  for (int i = 0; i < 5'000'000; ++i) large += static_cast<char>(i * 7 + i / 255);
  root.write("large", large);
  root.write("sub/index.html", "index");
  while_serving(root, [&](asio::io_context& io, std::uint16_t port) -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto got = co_await fetch_from(io, port, "/large");
      CHECK(got.head.status == status_code::ok);
      CHECK(got.content == large);
    }
    const auto index = co_await fetch_from(io, port, "/sub");  // by way of a redirect
    CHECK(index.content == "index");
    const auto missing = co_await fetch_from(io, port, "/missing");
    CHECK(missing.head.status == status_code::not_found);
  });
}

TEST_CASE("a stopping server lets go of an idle connection over the kernel's sockets") {
  test::temporary_folder root;
  root.write("x", "x");
  while_serving(root, [&](asio::io_context& io, std::uint16_t port) -> asio::awaitable<void> {
    auto idle = std::make_shared<tcp::socket>(co_await connect(io, port));
    const std::string ask = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    co_await asio::async_write(*idle, asio::buffer(ask), asio::use_awaitable);
    char first = 0;
    co_await asio::async_read(*idle, asio::buffer(&first, 1), asio::use_awaitable);
    CHECK(first == 'H');
    asio::co_spawn(
        io,
        [](std::shared_ptr<tcp::socket> s) -> asio::awaitable<void> {
          std::string rest;
          std::error_code error;
          co_await asio::async_read(*s, asio::dynamic_buffer(rest), asio::redirect_error(asio::use_awaitable, error));
          CHECK(error == asio::error::eof);
          CHECK(rest.substr(rest.size() - 5) == "\r\n\r\nx");
        }(idle),
        [](std::exception_ptr) {});
  });
}

TEST_CASE("a server is one line") {
  asio::io_context io;
  tcp::acceptor acceptor(io, any_port);
  const auto port = acceptor.local_endpoint().port();
  asio::co_spawn(io, serve(acceptor, [](const request&) { return response::text("hello\n"); }),
                 [](std::exception_ptr) {});
  std::string content;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        content = (co_await fetch_from(io, port, "/")).content;
        io.stop();
      },
      [](std::exception_ptr) {});
  io.run();
  CHECK(content == "hello\n");
}
