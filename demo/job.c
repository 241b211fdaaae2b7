/* SPDX-License-Identifier: Apache-2.0 */
/* Planning of steps, and dice that fall the same way whatever the order of the tasks. */
#include "job.h"

#include <stdarg.h>

static void plan(struct job *job, double hours, struct step step)
{
    struct step *planned = wf_arena_alloc(job->arena, sizeof(*planned));
    struct step **at = &job->steps;

    if (planned == NULL)
        return; /* the lease runs out and somebody else gets the task */
    *planned = step;
    planned->due_ms = job->fetched_ms + (int64_t)(hours * (double)job->hour_ms);
    while (*at != NULL && (*at)->due_ms <= planned->due_ms)
        at = &(*at)->next;
    planned->next = *at;
    *at = planned;
}

void job_complete(struct job *job, double hours, const struct wf_value *result)
{
    plan(job, hours, (struct step){.verb = WF_MSG_task_complete, .data = result});
}

void job_progress(struct job *job, double hours, const struct wf_value *data)
{
    plan(job, hours, (struct step){.verb = WF_MSG_task_progress, .data = data});
}

void job_fail(struct job *job, double hours, const char *reason, bool final)
{
    plan(job, hours, (struct step){.verb = WF_MSG_task_fail, .reason = reason, .final = final});
}

struct wf_value *job_map(struct job *job, ...)
{
    struct wf_value *map = wf_map(job->arena);
    const char *name;
    va_list args;

    va_start(args, job);
    while ((name = va_arg(args, const char *)) != NULL)
        (void)wf_map_put(job->arena, map, name, wf_text(job->arena, va_arg(args, const char *)));
    va_end(args);
    return map;
}

/* SplitMix64 (public domain, Sebastiano Vigna). */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void stir(uint64_t *state, const char *text)
{
    for (; *text != '\0'; text++) {
        *state ^= (unsigned char)*text;
        (void)mix(state);
        *state = mix(state);
    }
}

uint64_t stand_random(uint64_t seed, const char *kind, uint64_t n)
{
    uint64_t state = seed;

    stir(&state, kind);
    state ^= n * UINT64_C(0xd1342543de82ef95);
    return mix(&state);
}

/* How often this key was seen; a dossier that comes to a desk again meets other luck. */
static uint64_t visits_of(uint64_t key)
{
    static struct visit {
        uint64_t key, times;
    } visits[1 << 16];

    for (size_t i = 0; i < WF_COUNT(visits); i++) {
        struct visit *visit = &visits[(key + i) % WF_COUNT(visits)];

        if (visit->times == 0)
            visit->key = key;
        if (visit->key == key)
            return ++visit->times;
    }
    return 0;
}

void job_seed(struct job *job, uint64_t seed)
{
    job->random = seed;
    stir(&job->random, job->dossier);
    stir(&job->random, job->duty->activity);
    stir(&job->random, job->duty->role);
    stir(&job->random, job->to);
    job->random ^= visits_of(job->random) << 32;
}

unsigned job_dice(struct job *job, unsigned n)
{
    return (unsigned)(mix(&job->random) % n);
}

double job_between(struct job *job, double least, double most)
{
    unsigned tenths = (unsigned)((most - least) * 10);

    return least + (double)job_dice(job, tenths + 1) / 10;
}
