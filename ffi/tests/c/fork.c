/* T122: threads are inside of the library while another one forks. Every child gets its answers. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

static volatile int stop;

/* As little as possible happens outside of the table's lock. */
static void *give_and_free(void *unused)
{
    (void)unused;
    while (!stop) {
        lukko_descriptor descriptor;
        TRY(lukko_new_vault_descriptor(world_lukko_new_vault, &descriptor));
        TRY(lukko_free(descriptor));
    }
    return NULL;
}

static void *change(void *unused)
{
    (void)unused;
    while (!stop) {
        uint64_t version;
        TRY(lukko_draft_version(world_lukko_draft, &version));
    }
    return NULL;
}

/* The child has the parent's handles, makes its own, and may find the draft in use for ever. */
static void child(void)
{
    uint8_t seed[LUKKO_SEED_LEN], out[1024];
    size_t written, before, after;
    lukko_registrar own;
    uint64_t version;
    int32_t code;
    alarm(60);
    TRY(lukko_live_handles(&before));
    TRY(lukko_registrar_seed(world_lukko_registrar, seed, sizeof seed, &written));
    TRY(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, "text", 4, out, sizeof out, &written));
    TRY(lukko_registrar_generate(&own));
    TRY(lukko_free(own));
    TRY(lukko_free(world_lukko_registrar));
    code = lukko_draft_version(world_lukko_draft, &version);
    TRY(lukko_live_handles(&after));
    _exit((code == LUKKO_OK || code == LUKKO_E_BUSY) && after + 1 == before ? 0 : 1);
}

int main(int count, char **arguments)
{
    int forks = count > 1 ? atoi(arguments[1]) : 500, hung = 0, at;
    pthread_t threads[3];
    world_make();
    for (at = 0; at < 3; at++) {
        if (pthread_create(&threads[at], NULL, at < 2 ? give_and_free : change, NULL) != 0) {
            return 1;
        }
    }
    for (at = 0; at < forks; at++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            child();
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            return 1;
        }
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            hung++;
            break;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "fork %d: a child failed\n", at);
            return 1;
        }
    }
    stop = 1;
    for (at = 0; at < 3; at++) {
        pthread_join(threads[at], NULL);
    }
    TRY(lukko_free(world_lukko_registrar));
    printf("%d forks, %d children hung\n", forks, hung);
    puts(hung == 0 ? "done" : "see above");
    return hung;
}
