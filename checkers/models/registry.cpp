// The table of the search's models, sorted by name; one row each.

#include <algorithm>
#include <array>

#include "checkers/models/model.hpp"
#include "harness/history/event_pairing.hpp"

namespace sunder::checkers {

ModelRow bag_row();
ModelRow cas_register_row();
ModelRow counter_row();
ModelRow fenced_lease_row();
ModelRow fetch_add_row();
ModelRow kv_append_row();
ModelRow multi_register_row();
ModelRow mutex_row();
ModelRow priority_queue_row();
ModelRow queue_row();
ModelRow reentrant_mutex_row();
ModelRow register_row();
ModelRow rw_lock_row();
ModelRow semaphore_row();
ModelRow set_row();
ModelRow stack_row();

std::span<const ModelRow> search_models() {
  static const std::array all{
      bag_row(),
      cas_register_row(),
      counter_row(),
      fenced_lease_row(),
      fetch_add_row(),
      kv_append_row(),
      multi_register_row(),
      mutex_row(),
      priority_queue_row(),
      queue_row(),
      reentrant_mutex_row(),
      register_row(),
      rw_lock_row(),
      semaphore_row(),
      set_row(),
      stack_row(),
  };
  return all;
}

const ModelRow* find_search_model(std::string_view name) {
  const std::span<const ModelRow> all = search_models();
  const auto found = std::ranges::find(all, name, &ModelRow::name);
  return found == all.end() ? nullptr : &*found;
}

bool has_compared(const history::ValuePool& pool, const history::Operation& operation) noexcept {
  return operation.function == history::Function::cas &&
         operation.outcome == history::Outcome::fail &&
         pool.name(operation.error) == history::kCasMismatch;
}

}  // namespace sunder::checkers
