// Every word of the console, by area.
import { accessMessages } from './words/access'
import { createMessages } from './words/create'
import { dataMessages } from './words/data'
import { encryptionMessages } from './words/encryption'
import { factMessages } from './words/facts'
import { generalMessages } from './words/general'
import { lookMessages } from './words/looks'
import { orgMessages } from './words/org'
import { projectMessages } from './words/project'
import { qualityMessages } from './words/quality'
import { supportMessages } from './words/support'
import { taskMessages } from './words/tasks'
import { trustMessages } from './words/trust'

export const consoleMessages = { ...generalMessages, ...createMessages, ...projectMessages, ...qualityMessages, ...taskMessages, ...orgMessages, ...dataMessages, ...accessMessages, ...encryptionMessages, ...trustMessages, ...supportMessages, ...factMessages, ...lookMessages } as const
