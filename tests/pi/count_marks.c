/* A QEMU plugin that counts the instructions a program executes, and writes the number so far at
 * each call of getppid, whose number it is told, and at the program's end. Debian 12 has no header
 * for plugins outside of QEMU's source package; what is used of the interface (version 1) is
 * declared here.
 *
 * Counted is per translated block, on all threads together and without locks: exact as long as one
 * thread works at a time. */

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

/* Takes two arguments: out=FILE, where the counts are appended, a line each, and call=NUMBER, that
 * of getppid on the emulated system. */
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
