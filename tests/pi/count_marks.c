/* A QEMU plugin that counts executed instructions. It writes the count at each call of getppid and
 * at the end of the program. Debian 12 ships no plugin header outside of QEMU's source package, so
 * this file declares the functions that it uses (interface version 1).
 *
 * It counts per translated block for all threads together and without locks: the count is exact as
 * long as only one thread works at a time. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { ADD_U64 = 0, INTERFACE_VERSION = 1 };

typedef uint64_t plugin_id;
struct block;
typedef void translated(plugin_id, struct block *);
typedef void called(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                    uint64_t, uint64_t, uint64_t);
typedef void ended(plugin_id, void *);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, translated *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, called *);
void qemu_plugin_register_atexit_cb(plugin_id, ended *, void *);
size_t qemu_plugin_tb_n_insns(const struct block *);
void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int operation, void *, uint64_t);

EXPORT int qemu_plugin_version = INTERFACE_VERSION;

static uint64_t executed;
static int64_t getppid_number;
static int out;

static void write_count(const char *at) { dprintf(out, "%s %" PRIu64 "\n", at, executed); }

static void on_translation(plugin_id id, struct block *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed,
                                           qemu_plugin_tb_n_insns(block));
}

static void on_call(plugin_id id, unsigned processor, int64_t number, uint64_t a1, uint64_t a2,
                    uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)processor, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7;
  (void)a8;
  if (number == getppid_number) write_count("mark");
}

static void on_end(plugin_id id, void *nothing) {
  (void)id, (void)nothing;
  write_count("end");
}

/* Arguments: out=FILE, to which the counts are appended, one per line, and call=NUMBER, the system call
 * number of getppid on the emulated system. */
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments) {
  (void)info;
  if (count != 2 || strncmp(arguments[0], "out=", 4) != 0) return 1;
  if (strncmp(arguments[1], "call=", 5) != 0) return 1;
  getppid_number = strtol(arguments[1] + 5, NULL, 10);
  out = open(arguments[0] + 4, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (out < 0) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_call);
  qemu_plugin_register_atexit_cb(id, on_end, NULL);
  return 0;
}
