#include <asio/read.hpp>
#include <asio/ssl.hpp>
#include <asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;
using tls_stream = asio::ssl::stream<tcp::socket>;

template <class T, void (*free)(T*)>
struct freed {
  void operator()(T* t) const { free(t); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<X509, X509_free>>;

/// Gives the context a key of its own and a certificate that it signed itself.
void certify(asio::ssl::context& context) {
  const key_ptr key{EVP_EC_gen("P-256")};
  const certificate_ptr certificate{X509_new()};
  ASSERT_TRUE(key && certificate);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const auto* const text = reinterpret_cast<const unsigned char*>("tunic.example");  // NOLINT: OpenSSL's characters
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  ASSERT_EQ(SSL_CTX_use_certificate(context.native_handle(), certificate.get()), 1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey(context.native_handle(), key.get()), 1);
}

TEST(tls, runs_over_our_streams) {
  two_hosts n;
  asio::ssl::context server_context{asio::ssl::context::tls_server};
  asio::ssl::context client_context{asio::ssl::context::tls_client};
  ASSERT_NO_FATAL_FAILURE(certify(server_context));
  client_context.set_verify_mode(asio::ssl::verify_none);
  tcp::acceptor acceptor{n.server, {.port = 443}};
  const std::string much = pattern(300'000);
  n.run(
      [&]() -> asio::awaitable<void> {
        tls_stream s{co_await acceptor.async_accept(use_awaitable), server_context};
        co_await s.async_handshake(tls_stream::server, use_awaitable);
        std::string text(much.size(), '\0');
        co_await asio::async_read(s, asio::buffer(text), use_awaitable);
        co_await asio::async_write(s, asio::buffer(text), use_awaitable);
        std::error_code e;
        co_await s.async_shutdown(asio::redirect_error(use_awaitable, e));
      },
      [&]() -> asio::awaitable<void> {
        tls_stream s{tcp::socket{n.client}, client_context};
        co_await s.lowest_layer().async_connect(n.server_at(443), use_awaitable);
        co_await s.async_handshake(tls_stream::client, use_awaitable);
        co_await asio::async_write(s, asio::buffer(much), use_awaitable);
        std::string text(much.size() + 1, '\0');
        std::error_code e;
        const std::size_t octets =
            co_await asio::async_read(s, asio::buffer(text), asio::redirect_error(use_awaitable, e));
        EXPECT_EQ(e, asio::error::eof);
        text.resize(octets);
        EXPECT_TRUE(text == much);
      });
}

}  // namespace
}  // namespace tunic::test
