// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SERVICES_HPP_
#define COSMOS_SERVICES_HPP_

#include <cosmos/text.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

// The host's services as `init` found them; null when the host has none. Owned by the host, valid until the process
// ends. Written once in `init`, read from any thread after it.
struct Services {
  const cosmos_log_1* log = nullptr;
  const cosmos_progress_1* progress = nullptr;
  const cosmos_job_1* job = nullptr;
  const cosmos_files_1* files = nullptr;
  const cosmos_store_1* store = nullptr;
  const cosmos_target_1* target = nullptr;
  const cosmos_history_1* history = nullptr;
  const cosmos_run_1* run = nullptr;          // hooks
  const cosmos_job_log_1* job_log = nullptr;  // hooks
  const cosmos_gpu_1* gpu = nullptr;          // hooks

  // Throws when the host lacks one of `required`, naming it.
  static Services From(const cosmos_host& host, const std::vector<std::string>& required) {
    for (const std::string& id : required) {
      if (host.service(&host, ToC(id)) == nullptr) {
        throw std::runtime_error("the host has no service '" + id + "', which this plugin needs; use a newer engine");
      }
    }
    Services services;
    Find(host, "cosmos.log/1", services.log);
    Find(host, "cosmos.progress/1", services.progress);
    Find(host, "cosmos.job/1", services.job);
    Find(host, "cosmos.files/1", services.files);
    Find(host, "cosmos.store/1", services.store);
    Find(host, "cosmos.target/1", services.target);
    Find(host, "cosmos.history/1", services.history);
    Find(host, "cosmos.run/1", services.run);
    Find(host, "cosmos.job_log/1", services.job_log);
    Find(host, "cosmos.gpu/1", services.gpu);
    return services;
  }

 private:
  template <class Service>
  static void Find(const cosmos_host& host, std::string_view id, const Service*& service) {
    service = static_cast<const Service*>(host.service(&host, ToC(id)));
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_SERVICES_HPP_
