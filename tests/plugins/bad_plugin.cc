// Built several times, each time wrong in the one way that a macro names.
#include <cosmos/plugin.h>

#include <stdexcept>
#include <string>

namespace {

cosmos_status Describe(cosmos_sink description, cosmos_sink error) {
#ifdef DESCRIBE_FAILS
  static_cast<void>(description);
  const std::string reason = "no words";
  error.write(error.self, {reason.data(), reason.size()});
  return COSMOS_ERROR;
#else
  static_cast<void>(error);
#ifdef REQUIRES_NOTHING_KNOWN
  const std::string text = R"({"id": ")" BAD_ID R"(", "kind": "stage", "requires": ["cosmos.job/9"]})";
#else
  const std::string text = R"({"id": ")" BAD_ID R"(", "kind": "stage"})";
#endif
  description.write(description.self, {text.data(), text.size()});
  return COSMOS_OK;
#endif
}

cosmos_status Init(const cosmos_host*, cosmos_sink) {
#ifdef INIT_THROWS
  throw std::runtime_error("no licence");  // against the contract
#else
  return COSMOS_OK;
#endif
}

void* Create(cosmos_sink) {
  static int instance;
  return &instance;
}

void Destroy(void*) {}

cosmos_status Run(void*, cosmos_task*, cosmos_str, cosmos_str, cosmos_sink) { return COSMOS_OK; }

}  // namespace

#ifdef UNDEFINED_SYMBOL
extern "C" void nobody_defines_this();
extern "C" COSMOS_EXPORT void calls_it() { nobody_defines_this(); }
#endif

#ifdef NO_ENTRY
#define cosmos_plugin_entry another_name
extern "C" COSMOS_EXPORT const cosmos_plugin_entry_t another_name;
#endif

#ifdef OTHER_MAJOR
constexpr uint16_t kMajor = COSMOS_SDK_MAJOR + 1;
#else
constexpr uint16_t kMajor = COSMOS_SDK_MAJOR;
#endif

extern "C" const cosmos_plugin_entry_t cosmos_plugin_entry = {sizeof(cosmos_plugin_entry_t),
                                                              kMajor,
                                                              COSMOS_SDK_MINOR,
                                                              Describe,
                                                              Init,
                                                              Create,
                                                              Destroy,
                                                              Run,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr,
                                                              nullptr};
