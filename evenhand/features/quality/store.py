"""SQL of gold tasks, scores and courses, for those who look at them."""

from evenhand.infra.sql import Sql

GOLD_LIST = Sql(
    "gold_list",
    """select g.task_id, g.project_id, g.purpose, g.role, g.state, g.created_at, t.body, count(s.score) as answers,
              avg(s.score)::float8 as mean
         from evenhand.gold_task g
         join evenhand.task t on t.org_id = g.org_id and t.task_id = g.task_id
         left join evenhand.gold_score s on s.org_id = g.org_id and s.task_id = g.task_id
        where g.org_id = %(org)s and g.project_id = %(project)s
        group by g.task_id, g.project_id, g.purpose, g.role, g.state, g.created_at, t.body
        order by g.purpose, g.task_id limit 1000""",
)
# Of a project, of some tasks, of some people: what is null is not asked for.
SCORES = Sql(
    "gold_scores",
    """select s.task_id, s.person_id, s.project_id, s.cycle, s.score::float8 as score, s.created_at, g.purpose
         from evenhand.gold_score s
         join evenhand.gold_task g on g.org_id = s.org_id and g.task_id = s.task_id
        where s.org_id = %(org)s and (%(project)s::text is null or s.project_id = %(project)s)
          and (%(tasks)s::text[] is null or s.task_id = any(%(tasks)s))
          and (%(people)s::text[] is null or s.person_id = any(%(people)s))
        order by s.person_id, s.created_at, s.task_id limit 100000""",
)
RESULT = Sql(
    "gold_result",
    "select answer_id, project_id, body from evenhand.answer where org_id = %(org)s and answer_id = %(answer)s",
)
COURSES = Sql(
    "course_list",
    """select person_id, state, cycle, score::float8 as score from evenhand.course
        where org_id = %(org)s and project_id = %(project)s order by person_id""",
)
COURSE_AGAIN = Sql(
    "course_again",
    """update evenhand.course set state = 'open', cycle = cycle + 1, tries = cycle + 1, updated_at = now()
        where org_id = %(org)s and project_id = %(project)s and person_id = %(person)s and state = 'failed'
        returning cycle""",
)
SHARES = Sql(
    "project_gold_set",
    """update evenhand.project
          set gold_share = coalesce(%(share)s, gold_share), pass_mark = coalesce(%(mark)s, pass_mark), updated_at = now()
        where org_id = %(org)s and project_id = %(project)s returning gold_share, pass_mark""",
)
