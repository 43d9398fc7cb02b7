/* T122: two copies of the library in one process, fork, and unloading with handles alive. */
#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lukko.h>

typedef int32_t (*generate_function)(lukko_registrar *);
typedef int32_t (*read_function)(lukko_registrar, uint8_t *, size_t, size_t *);
typedef int32_t (*free_function)(lukko_handle);

struct library {
    void *handle;
    generate_function generate;
    read_function seed;
    free_function release;
};

static void *symbol(void *handle, const char *name)
{
    void *found = dlsym(handle, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static struct library load(const char *path)
{
    struct library library;
    void *found;
    library.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library.handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    /* C has no cast from an object to a function; POSIX wants this. */
    found = symbol(library.handle, "lukko_registrar_generate");
    memcpy(&library.generate, &found, sizeof found);
    found = symbol(library.handle, "lukko_registrar_seed");
    memcpy(&library.seed, &found, sizeof found);
    found = symbol(library.handle, "lukko_free");
    memcpy(&library.release, &found, sizeof found);
    return library;
}

#define REQUIRE(condition)                                         \
    if (!(condition)) {                                            \
        fprintf(stderr, "line %d: %s\n", __LINE__, #condition);    \
        exit(1);                                                   \
    }

static void child(struct library *library, lukko_registrar parents)
{
    lukko_registrar own;
    uint8_t seed[32];
    size_t written;
    REQUIRE(library->seed(parents, seed, sizeof seed, &written) == LUKKO_OK);
    REQUIRE(library->generate(&own) == LUKKO_OK);
    REQUIRE(library->release(own) == LUKKO_OK && library->release(parents) == LUKKO_OK);
    exit(0);
}

int main(int count, char **paths)
{
    struct library one, other;
    lukko_registrar of_one, of_other;
    uint8_t seed[32];
    size_t written;
    int status;
    pid_t pid;

    REQUIRE(count == 3);
    one = load(paths[1]);
    other = load(paths[2]);
    REQUIRE(one.generate != other.generate);
    REQUIRE(one.generate(&of_one) == LUKKO_OK && other.generate(&of_other) == LUKKO_OK);
    REQUIRE(one.seed(of_other, seed, sizeof seed, &written) == LUKKO_E_HANDLE);
    REQUIRE(other.release(of_one) == LUKKO_E_HANDLE);
    REQUIRE(other.seed(of_other, seed, sizeof seed, &written) == LUKKO_OK && written == 32);

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        child(&one, of_one);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    REQUIRE(one.seed(of_one, seed, sizeof seed, &written) == LUKKO_OK);

    REQUIRE(dlclose(other.handle) == 0);
    REQUIRE(one.release(of_one) == LUKKO_OK);
    REQUIRE(dlclose(one.handle) == 0);
    puts("done");
    return 0;
}
