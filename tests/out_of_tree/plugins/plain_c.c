/* The smallest stage in plain C99: it greets in the log and has one output. */
#include <cosmos/plugin.h>
#include <string.h>

static const cosmos_log_1* host_log;

static cosmos_str text(const char* literal) {
  cosmos_str str;
  str.data = literal;
  str.size = strlen(literal);
  return str;
}

static cosmos_status describe(cosmos_sink description, cosmos_sink error) {
  (void)error;
  description.write(
      description.self,
      text("{\"id\": \"plain-c\", \"kind\": \"stage\", \"version\": \"1.0.0\", \"summary\": \"Greets, in plain C.\","
           " \"parameters\": {\"type\": \"object\", \"additionalProperties\": false},"
           " \"outputs\": {\"type\": \"object\", \"properties\": {\"greeting\": {\"type\": \"string\"}}},"
           " \"requires\": [\"cosmos.log/1\"], \"optional\": []}"));
  return COSMOS_OK;
}

static cosmos_status init(const cosmos_host* host, cosmos_sink error) {
  host_log = host->service(host, text("cosmos.log/1"));
  if (host_log != NULL) return COSMOS_OK;
  error.write(error.self, text("the host has no service cosmos.log/1"));
  return COSMOS_ERROR;
}

static int instance;

static void* create(cosmos_sink error) {
  (void)error;
  return &instance;
}

static void destroy(void* self) { (void)self; }

static cosmos_status run(void* self, cosmos_task* task, cosmos_str context, cosmos_str parameters, cosmos_sink result) {
  (void)self;
  (void)context;
  (void)parameters;
  host_log->write(task, COSMOS_LOG_INFO, text("hello from C"));
  result.write(result.self, text("{\"greeting\": \"hello from C\"}"));
  return COSMOS_OK;
}

COSMOS_EXPORT const cosmos_plugin_entry_t cosmos_plugin_entry = {
    .struct_size = sizeof(cosmos_plugin_entry_t),
    .sdk_major = COSMOS_SDK_MAJOR,
    .sdk_minor = COSMOS_SDK_MINOR,
    .describe = describe,
    .init = init,
    .create = create,
    .destroy = destroy,
    .run = run,
};
