#include "nodes/storage/batch_writer.hpp"

#include <spdlog/spdlog.h>

namespace sunder::nodes::storage {

void stop_without_disk(std::string_view why) {
  spdlog::critical("cannot write to disk: {}", why);
  spdlog::shutdown();
  std::_Exit(1);
}

}  // namespace sunder::nodes::storage
