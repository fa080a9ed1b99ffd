#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>

#include "http/core/form.hpp"
#include "http/server/request.hpp"
#include "http/server/uploaded_file.hpp"

namespace tunic::http {

struct received_form {
  form_fields fields;
  std::vector<uploaded_file> files;
};

// Reads the form that a request brings, application/x-www-form-urlencoded or multipart/form-data (RFC 7578), the files
// straight to `folder`. Fields may have `most` octets together, files as many as the server's limits let through.
// Throws refusal: 415 for any other content, 413, 400.
asio::awaitable<received_form> receive_form(request& in, std::string folder, std::size_t most = 1024 * 1024);

}  // namespace tunic::http
