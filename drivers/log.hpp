#pragma once

#include <functional>
#include <string_view>

namespace tunic::drivers {

/// Told of set-up and of trouble with a device, a sentence each; never called per packet. May be empty.
using log_callback = std::function<void(std::string_view)>;

}  // namespace tunic::drivers
