/** Feedback of the training course: the expected answer beside one's own, as soon as the server has it. */
import { lazy, Suspense } from 'react'
import type { TaskLoop } from './loop'
import type { Lesson } from './types'

// Who is through the training never needs it.
const LessonDialog = lazy(() => import('./LessonDialog').then((module) => ({ default: module.LessonDialog })))

export function Lessons({ loop, lessons, viewer }: { readonly loop: TaskLoop; readonly lessons: readonly Lesson[]; readonly viewer: string }) {
  const [lesson] = lessons
  if (!lesson) return null
  return (
    <Suspense fallback={null}>
      <LessonDialog key={lesson.id} lesson={lesson} viewer={viewer} onClose={() => loop.learned(lesson.id)} />
    </Suspense>
  )
}
