export const directorMessages = {
  'director.title': 'All customers together',
  'director.text': 'Tasks and paid hours of all customers together, by week, rounded. Nothing here tells about a single customer: a week in which fewer than {least} were served has no figures.',
  'director.none': 'No week has ended yet',
  'director.none.text': 'A week is shown here after its last day, when work was done in it.',
  'director.week': 'Week from',
  'director.tasks': 'Tasks done',
  'director.hours': 'Paid hours',
  'director.few': 'Too few customers',
  'director.bar': 'Tasks of the week from {week}, beside the largest week',
  'director.neutrality': 'How evenly customers are served is public:',
  'director.neutrality.link': 'the neutrality page',
} as const
