export const operatorMessages = {} as const
